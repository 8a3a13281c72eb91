"""Grid search for hpo-core: every point of the grid once, in order.

plugin      what the core loads: the spec, nothing heavy
options     how many points a Float without a step has, and what can be wrong with that
strategy    GridSearch itself
"""
