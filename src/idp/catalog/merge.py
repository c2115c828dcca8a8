"""Joining the parts of a sharded ingest into one index, which answers as a whole ingest's would."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from idp.catalog.index import needs
from idp.catalog.index.attributes import words
from idp.catalog.index.draft import drafted
from idp.catalog.index.opened import opened
from idp.catalog.index.packing import unpack
from idp.catalog.index.rows import entity_of
from idp.catalog.ingest import Outcome, outcome
from idp.catalog.ingest.survey import WHOLE, Shard
from idp.clock import Clock
from idp.errors import InvalidInput
from idp.workshop import locked

_MAPS = (
    # Files of all parts; a file that two parts have counts once.
    "CREATE TEMP TABLE met (part INTEGER, old INTEGER, source INTEGER, depth INTEGER,"
    " location TEXT)",
    *(
        f"CREATE TEMP TABLE {name} (part INTEGER, old INTEGER, new INTEGER,"
        " PRIMARY KEY (part, old))"
        for name in ("files", "nodes", "fields", "taken")
    ),
    "CREATE UNIQUE INDEX temp.files_new ON files (new)",
    # Documents that have, or would have, a ref.
    "CREATE TEMP TABLE held (node INTEGER, is_orphan INTEGER, is_claim INTEGER, file INTEGER,"
    " document INTEGER, line INTEGER, col INTEGER, targets TEXT, part INTEGER, old INTEGER)",
)

_SOURCES = (
    "INSERT OR IGNORE INTO source (place, position, given, read_at, trouble)"
    " SELECT place, position, given, read_at, '[]' FROM part.source",
    "INSERT INTO met SELECT :part, f.id, own.id, f.depth, f.location FROM part.file f"
    " JOIN part.source s ON s.id = f.source JOIN source own ON own.place = s.place",
)
# So a file's new number is its rank: of two files that have a ref, the lower one keeps it.
_RANKED = (
    "INSERT INTO file (source, depth, location, path, stamp, digest, documents, repository,"
    " commit_id, includes, evidence, read_at)"
    " SELECT m.source, min(m.depth), m.location, '', '', x'', 0, '', '', '', '', ''"
    " FROM met m JOIN source s ON s.id = m.source GROUP BY m.location"
    " ORDER BY s.position, min(m.depth), m.location"
)
_ONCE = (
    "INSERT INTO files SELECT m.part, m.old, f.id FROM met m JOIN file f USING (location)"
    " WHERE (m.part, m.old) IN (SELECT part, old FROM (SELECT part, old, row_number() OVER"
    " (PARTITION BY location ORDER BY depth, part) AS n FROM met) WHERE n = 1)"
)
_COLUMNS = "path, stamp, digest, documents, repository, commit_id, includes, evidence, read_at"
_CONTENTS = (
    f"UPDATE file SET ({_COLUMNS}) = (SELECT {_COLUMNS} FROM files m CROSS JOIN part.file p"
    " ON p.id = m.old WHERE m.new = file.id)"
    " WHERE id IN (SELECT new FROM files WHERE part = :part)",
    "INSERT INTO problem SELECT m.new, p.document, p.line, p.col, p.path, p.message, p.hint,"
    " p.rule, p.level, p.skeleton, p.ref FROM part.problem p"
    " JOIN files m ON m.part = :part AND m.old = p.file ORDER BY p.rowid",
    "INSERT OR IGNORE INTO node (ref) SELECT ref FROM part.node ORDER BY id",
    "INSERT INTO nodes SELECT :part, p.id, n.id FROM part.node p JOIN node n USING (ref)",
    "INSERT OR IGNORE INTO field (path) SELECT path FROM part.field ORDER BY id",
    "INSERT INTO fields SELECT :part, p.id, f.id FROM part.field p JOIN field f USING (path)",
    "INSERT INTO held SELECT n.new, e.orphaned_at IS NOT NULL, 0, f.new, e.document, e.line, 1,"
    " '[]', :part, e.id FROM part.entity e JOIN files f ON f.part = :part AND f.old = e.file"
    " JOIN nodes n ON n.part = :part AND n.old = e.id",
    "INSERT INTO held SELECT n.new, 0, 1, f.new, c.document, c.line, c.col, c.targets,"
    " :part, 0"
    " FROM part.claim c JOIN files f ON f.part = :part AND f.old = c.file"
    " JOIN nodes n ON n.part = :part AND n.old = c.node",
)
_FIRST = (
    "CREATE TEMP TABLE ranked AS SELECT *, row_number() OVER (PARTITION BY node"
    " ORDER BY is_orphan, file, document) AS place FROM held",
    "INSERT INTO taken SELECT part, old, node FROM ranked WHERE place = 1",
    "INSERT INTO claim SELECT file, document, line, col, node, targets FROM ranked"
    " WHERE place > 1 AND NOT is_orphan",
)
_ENTITIES = (
    "INSERT INTO entity SELECT t.new, e.kind, e.namespace, e.name, e.title, e.type, e.lifecycle,"
    " e.tier, o.new, s.new, f.new, e.document, e.line, e.orphaned_at FROM part.entity e"
    " JOIN taken t ON t.part = :part AND t.old = e.id"
    " JOIN files f ON f.part = :part AND f.old = e.file"
    " LEFT JOIN nodes o ON o.part = :part AND o.old = e.owner"
    " LEFT JOIN nodes s ON s.part = :part AND s.old = e.system ORDER BY t.new",
    "INSERT INTO document SELECT t.new, d.data FROM part.document d"
    " JOIN taken t ON t.part = :part AND t.old = d.id ORDER BY t.new",
    "INSERT INTO attribute SELECT f.new, a.value, t.new, a.shown FROM part.attribute a"
    " JOIN taken t ON t.part = :part AND t.old = a.entity"
    " JOIN fields f ON f.part = :part AND f.old = a.field ORDER BY f.new, a.value, t.new",
    "INSERT OR IGNORE INTO relation SELECT r.type, x.new, y.new, r.by FROM part.relation r"
    " JOIN taken t ON t.part = :part AND t.old = CASE r.by WHEN 0 THEN r.source ELSE r.target END"
    " JOIN nodes x ON x.part = :part AND x.old = r.target"
    " JOIN nodes y ON y.part = :part AND y.old = r.source ORDER BY r.type, x.new, y.new",
)


def merge(parts: Sequence[Path], path: Path, clock: Clock) -> Outcome:
    """Write one index from several.

    Raises:
        NotFound, InvalidInput: a part is no index, or the parts are of different platform files.
    """
    began = clock.now()
    _check(parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path.parent), drafted(path, None) as connection:
        for statement in _MAPS:
            connection.execute(statement)
        _each(connection, parts, _SOURCES)
        _troubles(connection, parts)
        connection.execute(_RANKED)
        connection.execute(_ONCE)
        _each(connection, parts, _CONTENTS)
        for statement in _FIRST:
            connection.execute(statement)
        _each(connection, parts, _ENTITIES)
        _words(connection)
        needs.build(connection)
        meta = {"ingested_at": began.isoformat(), "shard": str(WHOLE)}
        connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
    return outcome(path, clock, began)


def _check(parts: Sequence[Path]) -> None:
    positions: dict[str, int] = {}
    shards = set()
    for part in parts:
        with opened(part) as index:
            shards.add(index.meta("shard"))
            for place, position in index.connection.execute("SELECT place, position FROM source"):
                if positions.setdefault(place, position) != position:
                    raise InvalidInput(
                        f"{part} has the source {place} in another place than an earlier part",
                        hint="ingest all parts with the same sources",
                    )
    _check_whole(shards)


def _check_whole(shards: Iterable[str]) -> None:
    """Refuse parts that do not make up a whole."""
    told = {Shard(*map(int, shard.split("/"))) for shard in shards}
    of = max(shard.of for shard in told)
    missing = [n for n in range(1, of + 1) if Shard(n, of) not in told]
    if missing or len({shard.of for shard in told}) > 1:
        names = ", ".join(f"{n}/{of}" for n in missing) or "parts of one whole"
        raise InvalidInput(f"these are not all parts: missing {names}", hint="ingest --shard N/M")


def _each(connection: sqlite3.Connection, parts: Sequence[Path], steps: Sequence[str]) -> None:
    """Do steps with each part attached: SQLite takes only a few at a time."""
    for number, part in enumerate(parts):
        connection.execute("COMMIT")
        connection.execute("ATTACH ? AS part", (f"{part.absolute().as_uri()}?immutable=1",))
        connection.execute("BEGIN")
        for step in steps:
            connection.execute(step, {"part": number} if ":part" in step else {})
        connection.execute("COMMIT")
        connection.execute("DETACH part")
        connection.execute("BEGIN")


def _troubles(connection: sqlite3.Connection, parts: Sequence[Path]) -> None:
    """Keep what could not be read of any part, each once."""
    told: dict[str, dict[str, None]] = {}
    for part in parts:
        with opened(part) as index:
            for place, trouble in index.connection.execute(
                "SELECT s.place, t.value FROM source s, json_each(s.trouble) t"
            ):
                told.setdefault(place, {})[trouble] = None
    connection.executemany(
        "UPDATE source SET trouble = ? WHERE place = ?",
        [(f"[{','.join(troubles)}]", place) for place, troubles in told.items()],
    )


def _words(connection: sqlite3.Connection) -> None:
    """Write the words of all entities: a part's own cannot be read back from it."""
    rows = connection.execute("SELECT id, data FROM document ORDER BY id")
    connection.executemany(
        "INSERT INTO words (rowid, name, title, body) VALUES (?,?,?,?)",
        ((node, *words(entity_of(unpack(data)))) for node, data in rows),
    )
