"""Draft a study file from a training script, for `hpo init`. The script is read, not run.

draft        reads a script, guesses, and writes the study file
source       a script as a syntax tree, with its constants and local modules
argument     one argument of a script
by_argparse  arguments of argparse and absl
by_click     arguments of click
by_signature arguments of functions and dataclasses: typer, fire, tyro, jsonargparse, transformers
by_help      arguments from the output of ``--help``, for other languages
printed      metrics that a script prints, and patterns for them
written      metrics that a script writes to a file, or to TensorBoard's event files
paths        paths in a script, as far as they can be known
metric_names which words name metrics
guess        which arguments to search, and their ranges
metrics      the objective of the draft, and how its metrics are read
strategies   plugins that a draft may name, since they are installed
study_file   the commented text of the study file

No part of a script is imported or evaluated. Only `by_help` runs it, on request.
"""
