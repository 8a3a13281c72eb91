"""Strategies for hpo-core in any language: a process that exchanges JSON lines.

plugin        what the core loads: the spec, nothing heavy
options       the command and the time limit
messages      the types of the process's answers
space         the search space as sent to the process, and conversion of configurations
conversation  sends a message and reads an answer within a time limit; ends the process
strategy      the contract: one message for each method
"""
