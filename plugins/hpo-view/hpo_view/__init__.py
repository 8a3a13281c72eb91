"""Pictures of hpo-core's studies: plots, reports, a live dashboard.

command      ``hpo report``
dashboard    ``hpo dashboard``
report       studies in one HTML file
page         what a page shows of a study, as plain JSON
plots        what ``study.plot`` has, a function for each
data         a study, read once for all that is drawn of it
scales       parameters as axes
theme        colours, and what figures have in common
text         text of a study, fit for plotly's labels
hypervolume  the volume that points dominate
"""
