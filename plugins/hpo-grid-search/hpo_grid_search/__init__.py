"""Grid search for hpo-core: every point of the grid once, in order.

plugin      what the core loads: the spec, nothing heavy
options     the number of points of each Float without a step, and its validation
strategy    GridSearch itself
"""
