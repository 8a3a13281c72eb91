"""The data model: parameters, spaces, objectives, budgets, jobs and reports.

Pure and immutable: no input or output, no clock, no randomness, and no import from outside
the standard library but msgspec. Everything else in hpo-core is built on this folder.

    errors              the exceptions
    values              plain values, Configuration
    checked             structs that validate their fields
    axis                the common interface of all parameters
    durations           "90s" <-> seconds
    ranges              Float, Int
    choices             Categorical, Constant, ParameterSet
    parameters          the union of all parameters
    space               the search space: conditions, forbidden combinations
    conditions          what conditions ask of a value: ranges
    linear              linear inequalities of a space
    allowed             finds an allowed configuration
    lattice             a finite space as a numbered sequence
    lattice_tree        the tree behind a lattice
    runnable            faults that prevent running a valid space
    objective           metric -> loss, the Pareto front
    constraint          upper bounds on metrics
    budget              limits and usage
    failure             why a job failed
    resources           what each job needs of a machine
    job                 one execution of a trial, and states
    report              reports, and the decisions of strategies
    templates           "{lr:.3g}" in names and commands
    placeholders        the placeholders that a study may use
    patterns            find metrics in the output of jobs
    text                formats text for a terminal
    comparison          linear comparisons: "x + 2 * y <= 1"
    function_reference  "module:name"
"""
