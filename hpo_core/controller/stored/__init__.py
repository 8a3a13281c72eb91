"""What is done with a stored study, beside running it.

open_study     found again or created, compared with what is asked for, extended
manage         deleted, renamed
copy_study     copied with its files, also while it runs
import_trials  trials of other programs' studies, adopted by the strategy
export_trials  studies on their way to other programs
study_text     a stored study as the text of a file for hpo run
output_file    text that is written to a file: nothing that exists is destroyed
audit          every suggestion derived again from the stored log
adopt_history  a strategy that would have suggested otherwise adopts what is stored
missing        a plugin that a stored study needs and that is not installed
trust          whose studies are run without a question
"""
