"""All of Optuna for hpo-core: its samplers as strategies by name, its pruners as an option.

plugin      what the core loads: the specs, nothing heavy
options     the options of each sampler, with Optuna's own names and defaults
pruners     the options of each pruner, and the pruners made of them
samplers    the samplers made of their options, and what they need to be installed
axes        parameters as Optuna sees them, and values there and back
fixed       parameters that keep one value
strategy    OptunaStrategy: asks and tells an Optuna study in memory
reports     what reports mean to Optuna: pruning, constraints, how trials end
bruteforce  BruteForceStrategy, which has an end
recovery    what a sampler knows beyond its trials, as JSON
arrays      numpy arrays and CMA-ES optimisers as JSON
exchange    studies written to Optuna's storages, and read from them

Only `plugin`, `options` and `pruners` are imported before a strategy is built.
"""
