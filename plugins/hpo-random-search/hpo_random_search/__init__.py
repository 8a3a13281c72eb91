"""Random search for hpo-core: without repetition in a finite space, until all of it is seen.

plugin      what the core loads: the spec, nothing heavy
draws       random numbers and configurations as pure functions of the seed and the trial
strategy    RandomSearch for infinite spaces, FiniteRandomSearch for finite ones
"""
