"""The contracts that plugins implement: strategies, backends, observers and hooks.

    strategy     Strategy, its suggestions, and StrategySpec
    composition  StrategyChoice: an option that names another strategy
    backend      Backend, the events of jobs, and BackendSpec
    observer     Observer, and the events of a study
    reader       ReaderSpec: metrics read from the output of jobs
    exchange     ExchangeSpec: studies exported to other programs, and imported from them
    hookspecs    the pluggy hooks with which plugins register them

Imports only the model. `CONTRACT_VERSION` is the version of these contracts.
"""

CONTRACT_VERSION = 1
"""The version of the contracts that this core supports."""
