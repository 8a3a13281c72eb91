"""The backends that come with hpo-core: `inline` and `local`; each is a plugin like any other.

inline        a Python function in the controller's own process and thread
local/        commands and functions on this machine: the controller's side
supervisor/   the process that starts them, listens to them and sees how they end
functions     a study's Python function is found and called
pickled       a function that can't be imported is carried to workers in memory
logs          the file that takes what a job prints
reused_folder the folder for checkpoints, given to the next job if one leaves it empty
printed       what a function prints in the controller's own process goes to its job's log
explain       why a program could not be started, with the remedy
"""
