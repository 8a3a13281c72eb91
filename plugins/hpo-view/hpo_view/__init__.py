"""Plots, reports and a live dashboard for studies of hpo-core.

command      ``hpo report``
dashboard    ``hpo dashboard``
report       studies in one HTML file
page         the content of a study's page, as plain JSON
plots        the plots of ``study.plot``, one function each
data         the data of a study, read once for all plots
scales       parameters as axes
theme        colours, and common parts of figures
text         text of a study for plotly's labels
hypervolume  the volume that points dominate
"""
