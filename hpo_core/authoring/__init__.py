"""Building blocks for strategies and observers. Imports only the contracts and the model.

generators     the state of a random generator as JSON
streams        the global random streams, replaced while a library draws from them
cube           a search space as points of the unit cube
tried          the configurations that have been tried
observers      a callback; a queue before an observer that waits
ask_tell       AskTell: a strategy based on a library with ask and tell
generations    the same for a library that suggests a generation at a time
define_by_run  the same for a library whose trials suggest parameters one by one
program        runs a Python program with changes to its modules
variants       the specs of a package whose strategies differ only in their options
"""
