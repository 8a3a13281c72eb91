"""What plugins implement, and nothing else: strategies, backends, observers, and the hooks.

    strategy    Strategy, its suggestions, and the StrategySpec that announces it
    composition StrategyChoice: an option that names another strategy
    backend     Backend, the events of jobs, and the BackendSpec that announces it
    observer    Observer, and the events of a study
    reader      ReaderSpec: metrics read from what jobs leave behind
    exchange    ExchangeSpec: studies written for other programs, and read from them
    hookspecs   the pluggy hooks by which a plugin brings any of them

Imports the model alone. These contracts are versioned by `CONTRACT_VERSION`.
"""

CONTRACT_VERSION = 1
"""The version of the contracts that this core speaks."""
