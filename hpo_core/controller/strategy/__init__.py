"""The strategy within the controller.

resolve           resolves the plugins that a configuration names, checks and builds them
checked_strategy  CheckedStrategy: validates the strategy's answers, converts its exceptions
plugin_choices    the same as resolve, for observers, the reader and the kind of work
restore           restores a strategy from the stored history
rebuild           rebuilds a strategy without the reports that a retry has replaced
"""
