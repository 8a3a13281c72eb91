"""One run of a study: a loop of turns, each of which handles, records and acts.

session               the loop
turns                 what happens in a turn, within its transaction
context, state        what does not change while a study runs, and what does
effects               what is to be done, as a value that can be performed only once it is recorded
events                handles what the backend says of jobs
job_dispatcher        fills free workers with jobs
limits                ends jobs and the study at their limits
trials                the strategy is told, and what trials come to is recorded
resumption            resumes what an earlier run has left
recovery              reads the trials under way back from the store
pending_trial         a trial that waits for its next job
running_job           a job under way
job_factory           makes jobs of trials
targets               how far a job is to train, and which of its reports count there
budget_tracker        what is used of the budget, what is left, when time is up
incumbents            the best trials so far
checkpoint_retention  which checkpoints are kept
iteration_warnings    warns of jobs that count in another unit, or not at all
metrics_readers       reports that are read from what jobs print or leave behind
observer_dispatcher   notifies observers and callbacks
study_events          makes the events that they are notified of
"""
