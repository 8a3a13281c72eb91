"""The plots: ``study.plot.NAME(…)`` returns a plotly figure.

history      optimization_history, edf
curves       intermediate_values
rungs        rungs: the number of trials that reached each
levels       the iterations at which trials were compared
parameters   slice, parallel_coordinate
pairs        contour, rank
importances  param_importances
fronts       pareto_front, hypervolume_history
work         timeline, budget
failures     failures, by cause
"""
