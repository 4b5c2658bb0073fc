"""The tables of run.sqlite.

`user_version` of the file is `SCHEMA_VERSION`; `application_id` marks it as ours. Every row belongs to a context:
resuming with other weights or bounds begins a new one and keeps the rows of the old.
"""

from __future__ import annotations

from nmlopt.results.rescored_rows import TABLE as RESCORED

APPLICATION_ID = 0x6E6D6C6F  # "nmlo"
SCHEMA_VERSION = 1

TABLES = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    """CREATE TABLE contexts (
        id INTEGER PRIMARY KEY, digest TEXT NOT NULL, backend TEXT NOT NULL, settings TEXT NOT NULL,
        versions TEXT NOT NULL, problem TEXT NOT NULL, time TEXT NOT NULL)""",
    """CREATE TABLE parameters (
        context INTEGER NOT NULL REFERENCES contexts, position INTEGER NOT NULL, id TEXT NOT NULL, unit TEXT NOT NULL,
        lower REAL NOT NULL, upper REAL NOT NULL, scale TEXT NOT NULL, present REAL NOT NULL,
        PRIMARY KEY (context, position))""",
    """CREATE TABLE targets (
        context INTEGER NOT NULL REFERENCES contexts, position INTEGER NOT NULL, id TEXT NOT NULL,
        PRIMARY KEY (context, position))""",
    """CREATE TABLE objectives (
        context INTEGER NOT NULL REFERENCES contexts, position INTEGER NOT NULL, id TEXT NOT NULL,
        PRIMARY KEY (context, position))""",
    "CREATE TABLE seeds (seed INTEGER PRIMARY KEY, position INTEGER NOT NULL, stop_reason TEXT NOT NULL DEFAULT '')",
    # Only the newest state of a seed is kept: older ones could not be resumed from without losing evaluations.
    """CREATE TABLE generations (
        context INTEGER NOT NULL REFERENCES contexts, seed INTEGER NOT NULL REFERENCES seeds, number INTEGER NOT NULL,
        state TEXT, wall_s REAL NOT NULL, cpu_s REAL NOT NULL, time TEXT NOT NULL,
        PRIMARY KEY (context, seed, number))""",
    """CREATE TABLE evaluations (
        id INTEGER PRIMARY KEY, context INTEGER NOT NULL, seed INTEGER NOT NULL, generation INTEGER NOT NULL,
        position INTEGER NOT NULL, status TEXT NOT NULL, detail TEXT NOT NULL, cpu_s REAL NOT NULL,
        total REAL NOT NULL, x BLOB NOT NULL, objectives BLOB NOT NULL, scores TEXT NOT NULL, features TEXT NOT NULL,
        UNIQUE (context, seed, generation, position),
        FOREIGN KEY (context, seed, generation) REFERENCES generations)""",
    "CREATE INDEX evaluations_by_x ON evaluations (context, x)",
    RESCORED,
)
LATER_TABLES = (RESCORED,)
"""What runs of earlier versions lack: made when they are opened for writing, and not needed by readers."""
