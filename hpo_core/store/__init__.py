"""The store of studies: an SQLite file, and a folder beside it for logs and checkpoints.

    schema         the tables
    job_table      the columns of the table of jobs
    database       opens the file of a store
    migration      migrates stores of earlier versions
    records        the records of rows
    studies        Studies: a store's file, and the rows of its studies
    store          Store: the same, with all queries on trials, jobs and reports
    transaction    a transaction: all writes are committed, or none
    collector      pauses the garbage collector during large reads
    history        the history of asks and reports, read lazily
    retries        the reports that a retry has replaced
    attempts       the jobs that a retry has replaced
    adopted        what a strategy adopted when it could not be restored
    writer         StudyWriter: the writes of a study's controller, one transaction per turn
    checkpoints    the checkpoints of trials, and how they are copied
    remote         checkpoints at an address of fsspec
    folder         a study's files: logs, checkpoints, journals
    whole          deletes, renames and copies whole studies
    required_file  a file that must remain in place while a study runs
    control        the lock of a study's controller, and the pipe to send it messages
    soundness      limits the time to read a store from an untrusted source
    explained      explanations of SQLite's errors
    wal            SQLite's write-ahead log: a store without it may be incomplete
    snapshot       copies a consistent snapshot of a folder
    rows           converts rows to records

Imports contracts and the model alone.
"""
