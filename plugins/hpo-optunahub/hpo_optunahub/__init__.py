"""Samplers of OptunaHub for hpo-core.

plugin    what the core loads: the spec, nothing heavy
options   which package, at which commit, from where
registry  its code on this machine: fetched with git, or a local checkout
command   hpo optunahub fetch, which asks first
loading   the sampler made of the code, without the network
strategy  the sampler, asked and told

Only `plugin`, `options`, `registry` and `command` are imported before a strategy is built.
"""
