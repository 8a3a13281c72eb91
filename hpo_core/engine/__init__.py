"""The controller of a study, around one run of it (`hpo_core.controller.run`).

optimizer    HyperParameterOptimizer: the controller as its users hold it
preparation  names -> plugins: checks a configuration against what is installed, builds
rebuild      a strategy forgets what a retry has replaced
restore      a strategy, as it was after all that it was asked and told
replay       an audit: every suggestion derived again from the stored log
study_text   a stored study as the text of a file for hpo run
exporting    studies on their way to other programs
output_file  text that is written to a file: nothing that exists is destroyed
adopting     a strategy that would have suggested otherwise adopts what is stored
trust        whose studies are run without a question
stored       a stored study as a whole: deleted, renamed
copying      a copy of a study with its files, also while it runs
importing    trials of other programs' studies, taken in
summary      what is said of a study when it ends
unfinished   what running jobs have done so far
open_trials  trials that have not ended, as they stand
curves       what trials have reported, report by report
result       what came out: Result, TrialResult
tables       trials, jobs and reports as tables of pandas
"""
