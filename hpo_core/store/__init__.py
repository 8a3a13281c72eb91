"""The store of studies: an SQLite file, and a folder beside it for logs and checkpoints.

    schema   the tables
    database opening a file that has them
    migration  stores of earlier versions
    records  the rows, as they are read
    studies  Studies: a file, and the rows of its studies
    store    Store: the same, with all reading of what they have done
    transaction  all that is written in it is kept, or nothing
    collector  the garbage collector rests while much is read
    history  what was asked and told, read as it is used
    retries  which reports a retry has replaced
    attempts which jobs a retry has replaced
    adopted  what a strategy adopted when it could not be restored
    writer   StudyWriter: what the controller of one study writes, a transaction a turn
    checkpoints  each trial's, and how they are copied
    folder   a study's files: logs, checkpoints, journals; and what tells it from a copy
    whole    all rows of one study, deleted or copied to another store
    required_file  a file that has to stay in its place while a study runs
    control  the lock of a study's controller, and the pipe by which others reach it
    soundness  what a store must be so that it is read in a finite time
    explained  what an error of SQLite means to the user
    wal      SQLite's write-ahead log: a store without it may be incomplete
    snapshot  a folder is copied as it stood at one moment

Imports contracts and the model alone.
"""
