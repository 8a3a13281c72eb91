"""The strategy within the controller.

read_config       reads a configuration from a file's tables, and checks its plugins' options
resolve           resolves the plugins that a configuration names, and checks that they suit it
prepared          Prepared: a configuration with its resolved plugins, and remarks on it
capabilities      what a study needs of its strategy, and whether the strategy can do it
build             builds the strategy and the backend
checked_strategy  CheckedStrategy: validates the strategy's answers, converts its exceptions
plugin_choices    resolves and builds observers, the reader and the kind of work
restore           restores a strategy from the stored history
rebuild           rebuilds a strategy without the reports that a retry has replaced
"""
