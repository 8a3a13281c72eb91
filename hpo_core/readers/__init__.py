"""Reads the metrics of jobs that know nothing of hpo-core, from what they print or write.

lines     what a job has printed, line by line
output    reports from a job's output
rows      the rows of a CSV file, of JSON lines, of a JSON document
columns   reports from rows
file      follows a file that a job writes, and reads its reports
watch     learns that files have changed, without looking at them again and again

Readers are `hpo_core.contracts.reader.MetricsReader`s, as those of plugins.
"""
