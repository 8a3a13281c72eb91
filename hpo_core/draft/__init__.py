"""Drafts a study file from a training script, which is read and not run: what `hpo init` does.

draft        reads a script, guesses, and writes the study file
source       a script as a syntax tree, with its constants and the modules beside it
argument     one argument of a script, however it was declared
by_argparse  arguments of argparse and absl
by_click     arguments of click
by_signature arguments of functions and dataclasses: typer, fire, tyro, jsonargparse, transformers
by_help      arguments from the output of ``--help``, for other languages
printed      metrics that a script prints, and patterns that find them
guess        which arguments are worth a search, and over which range
study_file   the commented text of the study file

Nothing of a script is imported or evaluated; `by_help` alone runs it, when it is told to.
"""
