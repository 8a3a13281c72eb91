"""The command ``hpo``: parse, call, print; no logic.

main      the group of commands, loaded one by one; errors become sentences and exit statuses
common    options that several commands share
streams   standard output and error that may be closed or full
tables    plain text tables
running   run, resume, extend, try
outcome   what those print of a study when it has been run
pairs     words of the form KEY=VALUE
showing   show
looking   studies, top, jobs, log
exporting export
curves    curves
replaying replay
importing import
steering  enqueue, stop
managing  copy, rename, delete
installed plugins
check     check
scaffold  new-strategy
plugin_commands  commands that plugins bring
"""
