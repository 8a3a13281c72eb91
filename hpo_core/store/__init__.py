"""Where studies are kept: one SQLite file, and a folder beside it for logs and checkpoints.

    schema   the tables
    connection  opening a file that has them
    migration  stores of earlier versions
    records  the rows, as they are read
    studies  Studies: a file, and the rows of its studies
    store    Store: the same, with all reading of what they have done
    transaction  all that is written in it is kept, or nothing
    history  what was asked and told, read as it is used
    writer   StudyWriter: what the controller of one study writes, a transaction a turn
    checkpoints  each trial's, and how they are copied
    folder   a study's files: logs, checkpoints, the lock of its controller, its control pipe

Imports contracts and the model alone.
"""
