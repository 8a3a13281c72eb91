"""Studies of hpo-core in MLflow.

plugin    the observer's spec
options   its options
observer  the events of a study as calls of runs
runs      the runs of a study and its trials on a server
names     names and values as MLflow accepts them
report    the report of hpo-view, if it is installed
"""
