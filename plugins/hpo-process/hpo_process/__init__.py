"""Strategies for hpo-core in any language: a process that speaks JSON lines.

plugin        what the core loads: the spec, nothing heavy
options       the command and the time limit
messages      what the process may answer, as types
space         the search space as the process sees it, and its configurations there and back
conversation  one message out, one answer in, within a time limit; and the process's end
strategy      the contract, each method a message
"""
