"""The data model: parameters, spaces, objectives, budgets, jobs and reports.

Pure and immutable: no input or output, no clock, no randomness, and no import from outside
the standard library but msgspec. Everything else in hpo-core is built on this folder.

    errors      what can go wrong, by name          values      plain values, Configuration
    checked     structs that check their fields     axis        what all parameters answer
    durations   "90s" <-> seconds                   ranges      Float, Int
    text        fit to be shown on a terminal       choices     Categorical, Constant, ParameterSet
    objective   metric -> loss, the Pareto front    parameters  all of them, under one roof
    constraint  metrics that must keep a bound
    budget      limits and their use                space       conditions, forbidden combinations
    job         one execution of a trial            allowed     an allowed configuration
    report      what a job says, and the answer     lattice     a finite space, numbered
    templates   "{lr:.3g}" in names and commands    function_reference   "module:name"
    placeholders  which of them a study may use lattice_tree  the tree behind a lattice
    runnable    what keeps a space from being run   patterns    find metrics in what jobs print
"""
