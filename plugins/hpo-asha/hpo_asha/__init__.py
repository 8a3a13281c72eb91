"""Early stopping for hpo-core: schedulers decide how far trials train, a searcher suggests them.

plugin      what the core loads: the specs, nothing heavy
options     the options of each variant, and their validation for a problem
rungs       iterations of rungs, Hyperband's brackets, and the ordered results of a rung
least       the minimum number of jobs until a first trial is completed
searcher    the strategy that suggests configurations, and the reports that it gets
scheduler   the base of all variants: trials, reports, recovery
promotion   ASHA and asynchronous Hyperband, by pausing and resuming
stopping    ASHA and Hyperband by stopping running jobs
halving     successive halving, synchronous
median      the median stopping rule
population  population-based training: exploit
explore     population-based training: explore
"""
