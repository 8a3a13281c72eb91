"""What has come out of a study.

result       Result, TrialResult
tables       trials, jobs and reports as tables of pandas
summary      what is said of a study when it ends
unfinished   what running jobs have done so far
open_trials  trials that have not ended, as they stand
curves       what trials have reported, report by report
"""
