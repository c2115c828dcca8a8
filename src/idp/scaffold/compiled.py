"""Compiled template files, kept by what they hold: most do not change from release to release."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

import jinja2
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket

SYNTAX = (
    "block_start_string", "block_end_string", "variable_start_string", "variable_end_string",
    "comment_start_string", "comment_end_string", "line_statement_prefix", "line_comment_prefix",
    "trim_blocks", "lstrip_blocks", "newline_sequence", "keep_trailing_newline", "autoescape",
)  # fmt: skip
"""The settings of an environment that a template is compiled by."""


class Compiled(BytecodeCache):
    """A folder of bytecode by (name, source, syntax, extensions, Jinja's version).

    Jinja checks Python's version itself. An extension that is not among `known` may read its own
    state while it compiles, so that nothing is kept then.
    """

    def __init__(self, folder: Path, known: frozenset[str]) -> None:
        self.folder = folder
        self.known = known

    def get_bucket(
        self, environment: Environment, name: str, filename: str | None, source: str
    ) -> Bucket:
        """Return what is kept of a template."""
        # Copier's `yield` starts anew where a source is preprocessed, which compiling would do.
        environment.preprocess(source, name, filename)
        usual = self.known.issuperset(environment.extensions)
        return super().get_bucket(environment, self._key(environment, name) * usual, None, source)

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        """Return the key as it was made here; the file's place does not matter."""
        return name

    def load_bytecode(self, bucket: Bucket) -> None:
        """Read bytecode; what is not there, or damaged, is compiled."""
        with suppress(OSError, EOFError, ValueError, TypeError):
            if bucket.key:
                bucket.bytecode_from_string(self._path(bucket).read_bytes())

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep bytecode; a cache that cannot be written is done without."""
        if not bucket.key:
            return
        path = self._path(bucket)
        part = path.with_name(f"{path.name}.{os.getpid()}")
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(bucket.bytecode_to_string())
            part.replace(path)

    def _key(self, environment: Environment, name: str) -> str:
        syntax = [getattr(environment, setting) for setting in SYNTAX]
        parts = [jinja2.__version__, name, *syntax, sorted(environment.extensions)]
        return hashlib.sha256(repr(parts).encode(errors="surrogateescape")).hexdigest()

    def _path(self, bucket: Bucket) -> Path:
        named = hashlib.sha256(f"{bucket.key}{bucket.checksum}".encode()).hexdigest()
        return self.folder / named[:2] / named[2:]
