"""The command ``hpo``: parse, call, print; no logic.

main      the group of commands, loaded one by one; errors become sentences and exit statuses
common    options that several commands share
stdio     standard output and error that may be closed or full
tables    plain text tables
init      init
run       run, resume, extend, try
outcome   the output of these commands after a run
pairs     words of the form KEY=VALUE
show      show
listings  studies, top, jobs, log
export    export
curves    curves
replay    replay
import_   import
control   enqueue, stop
manage    copy, rename, delete
plugins   plugins
check     check
scaffold  new-strategy
completion  completion
next_steps  what `hpo` alone says
hints     what to do about a mistake in a command line
plugin_commands  commands that plugins provide
"""
