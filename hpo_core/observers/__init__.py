"""The observers that come with hpo-core.

progress  the progress display of ``hpo run``, on a terminal and elsewhere
notebook  the same in a notebook
failures  counts of failures of one kind
"""
