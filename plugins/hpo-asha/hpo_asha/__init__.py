"""Early stopping for hpo-core: schedulers decide how far trials train, a searcher suggests them.

plugin      what the core loads: the specs, nothing heavy
options     the options of each variant, and what can be wrong with them for a problem
rungs       how far trials train, Hyperband's brackets, and a rung: results in order
least       how many jobs it takes until a first trial has trained to its end
searcher    the strategy that configurations come from, and what it is told
scheduler   what all variants share: trials, reports, recovery
promotion   ASHA and asynchronous Hyperband, by pausing and resuming
stopping    the same by stopping jobs that run
halving     successive halving, synchronous
median      the median stopping rule
population  population-based training: exploit
explore     population-based training: explore
"""
