"""The study, as its users hold it: what `hpo_core` exports first, and what the commands stand on.

study            Study: made from values, from a file or from a store; run, resumed, extended, ended
whole            operations on a whole study: replay, copy, import, export, rename, delete
view             what a study shows while it runs, wherever it runs: its trials, tables and state
job_filter       which jobs to list, by state, tags and comparisons
overview         where a study stands, in one record
configure        the one way from a file or from Python values to a checked configuration
arguments        wrong arguments of Python callers, told in words of Python
place            where studies are kept: a store's file, or memory
interactive_run  one run of a study: its signals and its progress display
plots            study.plot: the plots that plugins provide
optimize         optimize(): a whole study in one call
flat             deprecated functions, which methods of Study have replaced
"""
