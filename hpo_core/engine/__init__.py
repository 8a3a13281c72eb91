"""The controller: it runs a study, and keeps its promises.

optimizer    HyperParameterOptimizer: the controller as its users hold it
optimize     optimize(): a whole study in one call
preparation  names -> plugins: checks a configuration against what is installed, builds
session      one run of a study: the loop of turns, events in and actions out
flight       what is known of the trials that are under way
accounts     the budget: what is used, what is left, when time is up
recovery     an unfinished study, read back from the store
rebuild      a strategy forgets what a retry has replaced
targets      how far a job is to train, and what of its reports counts there
restore      a strategy, as it was after all that it was asked and told
keeper       which checkpoints are kept, and which are deleted
announcer    observers and callbacks are told, and dropped if they raise
replay       an audit: every suggestion derived again from the stored log
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
clock        the one clock that the engine takes its time from
"""
