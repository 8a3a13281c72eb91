"""What authors build strategies of. It imports the contracts and the model alone.

generators  the state of a random generator as JSON
streams     the global random streams, replaced while a library draws from them
cube        a search space as points of the unit cube
tried       which configurations have been tried
ask_tell    AskTell: a strategy of any library that is asked and told
"""
