"""Operations on stored studies, besides running them.

open_study     finds or creates a study, compares its configuration, extends its budget
manage         deletes and renames a study
copy_study     copies a study with its files, also while it runs
import_trials  imports trials of other programs' studies, which the strategy adopts
export_trials  exports studies to other programs
study_text     formats a stored study as a file for hpo run
output_file    writes to a file, without destroying existing data
audit          recomputes every suggestion from the stored log
adopt_history  a strategy that makes other suggestions adopts the stored trials
missing        errors for plugins that a stored study needs and that are not installed
trust          which studies are run without confirmation
"""
