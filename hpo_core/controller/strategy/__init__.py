"""The strategy within the controller.

resolve           names -> plugins: checks a configuration against what is installed, builds
checked_strategy  CheckedStrategy: what the strategy answers is validated, what it raises is named
plugin_choices    the same as resolve, for observers, the reader and the kind of work
restore restores a strategy from the stored history rebuild rebuilds a strategy without the reports
that a retry has replaced
"""
