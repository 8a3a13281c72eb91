"""The plots: ``study.plot.NAME(…)`` returns a figure of plotly.

history      optimization_history, edf
curves       intermediate_values
rungs        rungs: how many trials came how far
levels       where trials were compared
parameters   slice, parallel_coordinate
pairs        contour, rank
importances  param_importances
fronts       pareto_front, hypervolume_history
work         timeline, budget
failures     failures, by cause
"""
