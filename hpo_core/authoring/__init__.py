"""Building blocks for strategies. Imports only the contracts and the model.

generators  the state of a random generator as JSON
streams     the global random streams, replaced while a library draws from them
cube        a search space as points of the unit cube
tried       the configurations that have been tried
ask_tell    AskTell: a strategy based on a library with ask and tell
"""
