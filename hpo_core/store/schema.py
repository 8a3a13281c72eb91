"""The tables of a store.

`trial` has the suggestions and their states, `log` every report told to the strategy and every
resumption. A common number (`seq`) orders the rows of both.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from hpo_core.store import job_table

APPLICATION_ID = 0x68706F43  # "hpoC": marks the file as a store
VERSION = 3


def is_store(path: str | os.PathLike[str]) -> bool:
    """Return whether a file is a store, from its first bytes or those in its write-ahead log.

    SQLite reads them: closing a file by other means, while this process has it open in SQLite,
    would release SQLite's locks.
    """
    if not os.path.isfile(path):
        return False
    return _is_marked(path, "mode=ro&immutable=1") or (
        os.path.exists(f"{os.fspath(path)}-wal") and _is_marked(path, "mode=ro")
    )


def _is_marked(path: str | os.PathLike[str], how: str) -> bool:
    uri = f"{Path(path).absolute().as_uri()}?{how}"
    try:
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            (found,) = connection.execute("PRAGMA application_id").fetchone()
    except sqlite3.Error:
        return False
    return bool(found == APPLICATION_ID)


SCHEMA = f"""
CREATE TABLE study (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    uid TEXT NOT NULL,
    config TEXT NOT NULL,             -- StudyConfig as JSON, every default filled in
    plugins TEXT NOT NULL,            -- {{"strategy": {{name, distribution, version}}, ...}}
    created REAL NOT NULL,            -- seconds since the epoch, as all times
    state TEXT NOT NULL,
    reason TEXT NOT NULL DEFAULT '',
    files TEXT NOT NULL DEFAULT '',   -- its folder, if still the one of schema 1; else ''
    first_budget TEXT,                -- JSON, before it was extended; NULL if it was not, {{}} if
                                      -- that is not known, since schema 1 did not record it
    marks TEXT NOT NULL DEFAULT ''    -- which users have made or trusted it
);
CREATE TABLE progress (               -- apart from study, since it is written often
    study INTEGER PRIMARY KEY REFERENCES study,
    wall_time REAL NOT NULL DEFAULT 0,
    strategy_state TEXT,              -- JSON
    strategy_events INTEGER,          -- how many log rows that state had seen
    adopted_events INTEGER NOT NULL DEFAULT 0,  -- how many events count as adopted, whoever asked
    not_adopted TEXT NOT NULL DEFAULT '[]'  -- JSON, the trials that the strategy could not adopt
);
CREATE TABLE trial (
    study INTEGER NOT NULL REFERENCES study,
    id INTEGER NOT NULL,
    seq INTEGER NOT NULL,             -- when it was asked for: one numbering with log
    adopted INTEGER NOT NULL,         -- 1: enqueued by the user, 2: imported
    iterations INTEGER,               -- as suggested
    notes TEXT,                       -- JSON, the strategy's own
    configuration TEXT NOT NULL,      -- JSON
    first_configuration TEXT,         -- JSON, if a resume has changed it
    state TEXT NOT NULL,
    losses TEXT,                      -- JSON, one for each objective, lower is better
    PRIMARY KEY (study, id)
) WITHOUT ROWID;
{job_table.CREATE}
CREATE TABLE log (
    study INTEGER NOT NULL REFERENCES study,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,               -- a report's status, or resume, or retry
    trial INTEGER NOT NULL,
    attempt INTEGER,
    time REAL NOT NULL,
    iteration INTEGER,
    metrics TEXT,                     -- JSON
    losses TEXT,                      -- JSON
    decision TEXT,                    -- NULL if the strategy had raised; of a retry: kept, or NULL
    suggestion TEXT,                  -- JSON, of a resume
    cause TEXT,                       -- of a final report: why the job failed
    PRIMARY KEY (study, seq)
) WITHOUT ROWID;
CREATE TABLE enqueued (
    id INTEGER PRIMARY KEY,
    study INTEGER NOT NULL REFERENCES study,
    configuration TEXT NOT NULL
);
CREATE TABLE wal (                    -- one row; see wal.py
    is_needed INTEGER NOT NULL        -- whether the file alone is incomplete
);
INSERT INTO wal VALUES (0);
"""
