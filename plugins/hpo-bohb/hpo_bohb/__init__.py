"""BOHB, Hyperband and random search: hpbandster's own, driven in the process, without its network.

plugin      the strategies' names; imports nothing heavy
options     their options, with hpbandster's names, and what can be wrong with them
strategy    asks and tells: brackets above, hpo-core's trials below
brackets    hpbandster's brackets of successive halving, begun and filled as its Master does
rungs       its budgets, which are fractions, as whole iterations
sampler     where configurations come from: its generators, and all that is random about them
masters     its optimisers without their network
space       a search space as a ConfigurationSpace, and configurations there and back
axes        one parameter as one hyperparameter
clauses     ConfigSpace's conditions and forbidden clauses, decided by values
"""
