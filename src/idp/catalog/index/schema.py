"""The tables of the index."""

from __future__ import annotations

import sqlite3

SCHEMA = 2
"""Raised with any change of the tables or of what is in them: an older index is made anew."""

APPLICATION = 0x69647063  # "idpc"

NOTHING = b""
"""The value of an attribute that has none that can be compared: it is there, and equals nothing."""

RELATIONS = (
    "ownedBy",
    "ownerOf",
    "partOf",
    "hasPart",
    "providesApi",
    "apiProvidedBy",
    "consumesApi",
    "apiConsumedBy",
    "dependsOn",
    "dependencyOf",
    "parentOf",
    "childOf",
    "hasMember",
    "memberOf",
)
"""The types of relations; a relation's number is its place here."""

NUMBER = {name: number for number, name in enumerate(RELATIONS)}
INVERSE = tuple(number ^ 1 for number in range(len(RELATIONS)))

DATA = "(SELECT d.data FROM document d WHERE d.id = e.id)"
"""The packed document of the entity `e`, in SQL."""

TABLES = """
CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

-- place: as it is written in the platform file. position: files of an earlier source win a ref.
-- given: it is not the platform's, somebody named it. state: JSON of the source's own.
-- read_at: when it was last read whole.
-- trouble: JSON [[repository, message, hint]] of what could not be read then.
CREATE TABLE source (
  id INTEGER PRIMARY KEY,
  place TEXT NOT NULL UNIQUE,
  position INTEGER NOT NULL,
  given INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT '{}',
  read_at TEXT,
  trouble TEXT NOT NULL DEFAULT '[]'
);

-- depth: 0 for a file that the source lists, more for one that a Location names.
-- includes: JSON {path: stamp} of the files it takes in by `$text`. evidence: JSON of an Evidence.
CREATE TABLE file (
  id INTEGER PRIMARY KEY,
  source INTEGER NOT NULL,
  depth INTEGER NOT NULL,
  location TEXT NOT NULL UNIQUE,
  path TEXT NOT NULL,
  stamp TEXT NOT NULL,
  digest BLOB NOT NULL,
  documents INTEGER NOT NULL,
  repository TEXT NOT NULL,
  commit_id TEXT NOT NULL,
  includes TEXT NOT NULL,
  evidence TEXT NOT NULL,
  read_at TEXT NOT NULL
);

-- Every entity that is, or that another refers to; ref is its canonical form.
CREATE TABLE node (
  id INTEGER PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE
);

-- owner, system: nodes. orphaned_at: since when no file has it.
CREATE TABLE entity (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  title TEXT NOT NULL,
  type TEXT NOT NULL,
  lifecycle TEXT NOT NULL,
  tier TEXT NOT NULL,
  owner INTEGER,
  system INTEGER,
  file INTEGER NOT NULL,
  document INTEGER NOT NULL,
  line INTEGER NOT NULL,
  orphaned_at TEXT
);
CREATE INDEX entity_file ON entity(file);

-- The entity's document, packed; apart, so that a walk over entities reads a tenth of the pages.
CREATE TABLE document (
  id INTEGER PRIMARY KEY,
  data BLOB NOT NULL
);

-- Documents whose ref another file has already; targets: JSON of the files that a Location names.
CREATE TABLE claim (
  file INTEGER NOT NULL,
  document INTEGER NOT NULL,
  line INTEGER NOT NULL,
  col INTEGER NOT NULL,
  node INTEGER NOT NULL,
  targets TEXT NOT NULL,
  PRIMARY KEY (file, document)
) WITHOUT ROWID;
CREATE INDEX claim_node ON claim(node);

-- ref: what the document would be, empty if it cannot be named.
CREATE TABLE problem (
  file INTEGER NOT NULL,
  document INTEGER NOT NULL,
  line INTEGER NOT NULL,
  col INTEGER NOT NULL,
  path TEXT NOT NULL,
  message TEXT NOT NULL,
  hint TEXT NOT NULL,
  rule TEXT NOT NULL,
  level TEXT NOT NULL,
  skeleton INTEGER NOT NULL,
  ref TEXT NOT NULL
);
CREATE INDEX problem_file ON problem(file);

-- `source` has this relation to `target`; by: 0 if the source's file says so, 1 if the target's.
CREATE TABLE relation (
  type INTEGER NOT NULL,
  target INTEGER NOT NULL,
  source INTEGER NOT NULL,
  by INTEGER NOT NULL,
  PRIMARY KEY (type, target, source, by)
) WITHOUT ROWID;

-- Paths of fields, in lower case: metadata.tags.
CREATE TABLE field (
  id INTEGER PRIMARY KEY,
  path TEXT NOT NULL UNIQUE
);

-- What entities say, one row a scalar; value in lower case, shown as written where that differs.
CREATE TABLE attribute (
  field INTEGER NOT NULL,
  value NOT NULL,
  entity INTEGER NOT NULL,
  shown TEXT,
  PRIMARY KEY (field, value, entity)
) WITHOUT ROWID;

CREATE VIRTUAL TABLE words USING fts5(name, title, body, content='', tokenize='unicode61');

-- Who needs whom, as compressed sparse rows of 32-bit node numbers: see needs.py.
CREATE TABLE graph (
  name TEXT PRIMARY KEY,
  offsets BLOB NOT NULL,
  targets BLOB NOT NULL
) WITHOUT ROWID;
"""


def create(connection: sqlite3.Connection) -> None:
    """Make the tables in a new database."""
    for statement in TABLES.split(";\n"):
        if statement.strip():
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {SCHEMA}")


def version(connection: sqlite3.Connection) -> int:
    """Return the schema number of a database, 0 for one that is no index."""
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
        return 0
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
