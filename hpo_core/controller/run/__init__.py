"""One run of a study: a loop of turns, each of which handles, records and acts.

session               the loop
turns                 the transactions of turns
context, state        the constant context of a run, and its changing state
effects               actions as a value that can be performed only after it is recorded
events                handles the events of jobs
job_dispatcher        fills free workers with jobs
lookahead             how many short jobs wait for a worker
limits                ends jobs and the study at their limits
trials                tells the strategy reports, and records the results of trials
resumption            resumes the jobs and checkpoints of an interrupted run
recovery              reads unfinished trials back from the store
pending_trial         a trial that waits for its next job
running_job           a running job
job_factory           creates the jobs of trials
targets               the target iteration of a job, and which reports count for it
budget_tracker        the used and the remaining budget, and when time is up
incumbents            the best trials so far
checkpoint_retention  deletes checkpoints that are no longer needed
iteration_warnings    warns of jobs that count in another unit, or not at all
remote_checkpoints    checkpoints fetched before a job and stored after it
metrics_readers       reports read from the output or files of jobs
observer_dispatcher   notifies observers and callbacks
study_events          creates the events for observers
"""
