"""Studies of hpo-core in Weights & Biases.

plugin    the observer's spec
options   its options
login     whether there is an API key, without asking for one
observer  the events of a study as runs of a group
"""
