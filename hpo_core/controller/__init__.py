"""The controller of a study: it asks the strategy, launches jobs and enforces the budget.

controller HyperParameterOptimizer: the public class
study_run  the resources of one run: lock, strategy, session and backend
dry_run    one job with default values, to check that a study works
signals    Ctrl-C, SIGTERM and a closed terminal while a study runs
stored/    operations on stored studies: open, copy, delete, import, export, audit
run/       one run of a study: a loop of turns
strategy/  the strategy: built, validated, restored
results/   the results of a study
clock      the system clock
"""
