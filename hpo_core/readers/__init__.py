"""Read the metrics of jobs that do not import hpo-core, from their output or their files.

lines     the output of a job, line by line
output    reports from the output of a job
rows      the rows of a CSV file, of JSON lines, of a JSON document
columns   rows to reports
file      follows a file that a job writes, and reads its reports
watch     notification of changed files, without polling

Readers implement `hpo_core.contracts.reader.MetricsReader`, like those of plugins.
"""
