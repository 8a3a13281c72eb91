"""Studies of hpo-core in TensorBoard, and metrics of jobs from their event files.

plugin     the specs of the observer and the reader
options    their options
observer   the events of a study as event files
hparams    what the tab HPARAMS shows
reader     the metrics of a job, from the event files that it writes
event_log  a file of events that grows
scalars    scalars in events, as the writers of several libraries store them
records    the records of an event file
"""
