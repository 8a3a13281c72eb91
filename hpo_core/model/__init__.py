"""What things are: parameters, spaces, objectives, budgets, jobs and reports.

Pure and immutable: no input or output, no clock, no randomness, and no import from outside
the standard library but msgspec. Everything else in hpo-core is built on this folder.

    errors      what can go wrong, by name          values      plain values, Configuration
    checked     structs that check their fields     parameters  Float, Int, Categorical, …
    durations   "90s" <-> seconds                   space       SearchSpace: conditions, forbidden
    objective   metric -> loss, the Pareto front    lattice     a finite space, numbered
    budget      limits and their use                templates   "{lr:.3g}" in names and commands
    job         one execution of a trial            report      what a job says, and the answer
"""
