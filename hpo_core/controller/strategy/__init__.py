"""The strategy as the controller holds it.

resolve           names -> plugins: checks a configuration against what is installed, builds
checked_strategy  CheckedStrategy: what the strategy answers is validated, what it raises is named
plugin_choices    the same as resolve, for observers, the reader and the kind of work
restore           a strategy as it was after all that it was asked and told
rebuild           a strategy forgets what a retry has replaced
"""
