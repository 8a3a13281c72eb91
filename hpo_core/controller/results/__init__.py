"""The results of a study.

result       Result, and its reading from the store
trial_result  TrialResult
table        a table with typed columns, and its formats
tables       the tables of trials, jobs and reports
summary      the summary of a study at its end
unfinished   the reports of running jobs so far
open_trials  trials that have not ended
html         results as HTML for notebooks
curves       the reports of trials
"""
