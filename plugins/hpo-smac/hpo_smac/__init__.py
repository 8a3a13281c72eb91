"""SMAC3 for hpo-core.

plugin    what the core loads: the specs, nothing heavy
options   the options, with the library's own names and defaults
strategy  the library's optimizer as a strategy
"""
