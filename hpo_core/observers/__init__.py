"""The observers that come with hpo-core.

progress  what ``hpo run`` shows while it runs, on a terminal and elsewhere
notebook  the same in a notebook
failures  failures of one kind, counted
"""
