PRAGMA journal_mode = WAL;
PRAGMA application_id = 1752198979;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE enqueued (
    id INTEGER PRIMARY KEY,
    study INTEGER NOT NULL REFERENCES study,
    configuration TEXT NOT NULL
);
CREATE TABLE job (
    study INTEGER NOT NULL REFERENCES study,
    trial INTEGER NOT NULL,
    attempt INTEGER NOT NULL,         -- from 1; 0 is what ran elsewhere, and was imported
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    target INTEGER,                   -- how far to train
    queued REAL NOT NULL,
    started REAL,
    ended REAL,
    iteration INTEGER,                -- the last that was reported
    iterations INTEGER NOT NULL DEFAULT 0,  -- how many of them are this job's own
    metrics TEXT,                     -- JSON, the last value of each
    reason TEXT NOT NULL DEFAULT '',
    handle TEXT,                      -- JSON, the backend's own
    PRIMARY KEY (study, trial, attempt)
) WITHOUT ROWID;
INSERT INTO "job" VALUES(1,1,1,'small-1','completed',NULL,1.7955813277250163555e+09,1.7955813278766589165e+09,1.79558132787977457051e+09,1,1,'{"loss":0.40356558787378927}','','16421');
INSERT INTO "job" VALUES(1,2,1,'small-2','completed',NULL,1.79558132788004207614e+09,1795581327.88729,1.79558132789151930807e+09,1,1,'{"loss":0.5565829917879004}','','16422');
INSERT INTO "job" VALUES(1,3,1,'small-3','completed',NULL,1795581327.89167,1.79558132789951038366e+09,1.79558132790067052843e+09,1,1,'{"loss":0.31317294557236885}','','16424');
CREATE TABLE log (
    study INTEGER NOT NULL REFERENCES study,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,               -- a report's status, or resume
    trial INTEGER NOT NULL,
    attempt INTEGER,
    time REAL NOT NULL,
    iteration INTEGER,
    metrics TEXT,                     -- JSON
    losses TEXT,                      -- JSON
    decision TEXT,                    -- NULL if the strategy had raised
    suggestion TEXT,                  -- JSON, of a resume
    PRIMARY KEY (study, seq)
) WITHOUT ROWID;
INSERT INTO "log" VALUES(1,1,'running',1,1,1.79558132787720251084e+09,1,'{"loss":0.40356558787378927}','[0.40356558787378927]','continue',NULL);
INSERT INTO "log" VALUES(1,2,'completed',1,1,1.79558132787977457051e+09,1,NULL,'[0.40356558787378927]','continue',NULL);
INSERT INTO "log" VALUES(1,4,'running',2,1,1.79558132789115858078e+09,1,'{"loss":0.5565829917879004}','[0.5565829917879004]','continue',NULL);
INSERT INTO "log" VALUES(1,5,'completed',2,1,1.79558132789151930807e+09,1,NULL,'[0.5565829917879004]','continue',NULL);
INSERT INTO "log" VALUES(1,7,'running',3,1,1.79558132790035772322e+09,1,'{"loss":0.31317294557236885}','[0.31317294557236885]','continue',NULL);
INSERT INTO "log" VALUES(1,8,'completed',3,1,1.79558132790067052843e+09,1,NULL,'[0.31317294557236885]','continue',NULL);
CREATE TABLE progress (               -- apart from study, since it is written often
    study INTEGER PRIMARY KEY REFERENCES study,
    wall_time REAL NOT NULL DEFAULT 0,
    strategy_state TEXT,              -- JSON
    strategy_events INTEGER           -- how many log rows that state had seen
);
INSERT INTO "progress" VALUES(1,2.23100423812866210937e-01,NULL,NULL);
CREATE TABLE study (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    uid TEXT NOT NULL,
    config TEXT NOT NULL,             -- StudyConfig as JSON, every default filled in
    plugins TEXT NOT NULL,            -- {"strategy": {name, distribution, version}, ...}
    created REAL NOT NULL,            -- seconds since the epoch, as all times
    state TEXT NOT NULL,
    reason TEXT NOT NULL DEFAULT ''
);
INSERT INTO "study" VALUES(1,'small','cbc82c3c2e338c50720cde0ca2dedee3','{"name":"small","seed":7,"strategy":{"name":"random","options":{}},"objectives":[{"metric":"loss","direction":"minimize","value":"last"}],"job":{"command":["sh","job.sh","{x}"],"function":null,"directory":"THE FOLDER","environment":{},"time_limit":3600.0,"silence_limit":null,"min_iterations":1,"max_iterations":null,"retries":0,"grace":5.0,"keep_checkpoints":null},"space":{"parameters":[{"type":"float","name":"x","low":0.0,"high":1.0,"log":false,"step":null,"when":{},"default":null}],"forbidden":[]},"workers":1,"constraints":[],"budget":{"trials":null,"jobs":3,"iterations":null,"compute_time":null,"wall_time":null,"count":"launched"},"backend":{"name":"local","options":{}},"observers":[],"job_name":"{name}-{trial_id}","tags":[],"max_failures":null,"on_failure":"continue","enqueue":[],"durability":"normal"}','{"backend":{"name":"local","distribution":"hpo-core","version":"0.1.0","contract":1},"strategy":{"name":"random","distribution":"hpo-random-search","version":"0.1.0","contract":1}}',1.79558132765716695782e+09,'finished','the budget of 3 jobs is used up');
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
INSERT INTO "trial" VALUES(1,1,0,0,NULL,NULL,'{"x":0.40356558787378927}',NULL,'completed','[0.40356558787378927]');
INSERT INTO "trial" VALUES(1,2,3,0,NULL,NULL,'{"x":0.5565829917879004}',NULL,'completed','[0.5565829917879004]');
INSERT INTO "trial" VALUES(1,3,6,0,NULL,NULL,'{"x":0.31317294557236885}',NULL,'completed','[0.31317294557236885]');
COMMIT;
