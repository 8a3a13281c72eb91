"""What things are: parameters, spaces, objectives, budgets, jobs and reports.

Pure and immutable: no input or output, no clock, no randomness, and no import from outside
the standard library but msgspec. Everything else in hpo-core is built on this folder.

    errors      what can go wrong, by name          values      plain values, Configuration
    checked     structs that check their fields     parameters  Float, Int, Categorical, …
    durations   "90s" <-> seconds                     (axis, ranges, choices: their parts)
    objective   metric -> loss, the Pareto front    space       SearchSpace: conditions, forbidden
    budget      limits and their use                allowed     a start where the first is forbidden
    job         one execution of a trial            lattice     a finite space, numbered
    report      what a job says, and the answer     templates   "{lr:.3g}" in names and commands
"""
