"""Operations on stored studies, besides running them.

open_study     found again or created, compared with what is asked for, extended
manage         deleted, renamed
copy_study     copied with its files, also while it runs
import_trials  trials of other programs' studies, adopted by the strategy
export_trials  studies on their way to other programs
study_text     a stored study as the text of a file for hpo run
output_file text written to a file, without destroying existing data audit every suggestion
recomputed from the stored log adopt_history a strategy that makes other suggestions adopts the
stored trials missing a plugin that a stored study needs and is not installed trust which studies
are run without confirmation
"""
