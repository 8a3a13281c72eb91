"""Random search for hpo-core: in a finite space without repetition, until it is exhausted.

plugin      what the core loads: the spec, nothing heavy
draws       random numbers and configurations as pure functions of the seed and the trial
strategy    RandomSearch for infinite spaces, FiniteRandomSearch for finite ones
"""
