"""The observers that come with hpo-core.

progress        the progress display of ``hpo run``, on a terminal and elsewhere
live            the display on a terminal
study_progress  the progress of a study, as numbers and in words
sparkline       the values of a job, drawn in a line of text
notebook        the same in a notebook
failures        counts of failures of one kind
"""
