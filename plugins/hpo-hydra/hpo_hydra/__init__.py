"""A Hydra sweeper with any strategy of hpo-core: ``python app.py -m hydra/sweeper=hpo``.

plugin.py    the hooks: the backend and the kind of work of a sweep
space.py     sweep overrides of Hydra to a search space, and configurations back to overrides
backend.py   the backend that runs jobs by Hydra's launcher
conf.py      the configuration of the sweeper
sweep.py     one sweep: its study, and its results

Hydra finds `hydra_plugins/hpo_sweeper.py`, the sweeper with its configuration.
"""
