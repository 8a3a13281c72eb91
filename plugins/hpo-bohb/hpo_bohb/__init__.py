"""BOHB, Hyperband and random search of hpbandster, run in this process without its network layer.

plugin      the strategies' names; imports nothing heavy
options     their options, with hpbandster's names, and their validation
strategy    the strategy: translates between brackets and trials
brackets    hpbandster's brackets of successive halving, started and filled as by its Master
rungs       hpbandster's budgets, which are fractions, as whole iterations
sampler     hpbandster's generators of configurations, and their random streams
masters     hpbandster's optimisers without their network layer
space       a search space as a ConfigurationSpace, and conversion of configurations
axes        one parameter as one hyperparameter
clauses     ConfigSpace's conditions and forbidden clauses, evaluated on values
"""
