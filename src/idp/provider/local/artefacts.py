"""What is built of a service, once for each tree: SERVICE/TREE."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from idp import proc
from idp.daemon import locked
from idp.errors import IdpError, InvalidInput
from idp.provider.base import Release, Say, Source
from idp.provider.local import processes

COMPLETE = "complete"
FILES = "files"
LONGEST = 3600
"""Seconds that a build may take."""

YOUNG = 3600
"""Seconds for which what was built is kept though no environment names it: one is about to."""


@dataclass(frozen=True)
class Artefacts:
    """All that is built."""

    folder: Path

    def files(self, artefact: str) -> Path:
        """Return the folder in which an artefact is run.

        Raises:
            InvalidInput: it is not there (any more).
        """
        if artefact.count("/") != 1 or ".." in artefact.split("/"):
            raise InvalidInput(f"{artefact!r} is nothing that the local provider has built")
        place = self.folder / artefact
        if not (place / COMPLETE).exists():
            raise InvalidInput(f"{artefact} is not built here", hint="build it again: idp env up")
        return place / FILES

    def build(
        self, release: Release, source: Source, say: Say, env: Mapping[str, str], for_: Path
    ) -> str:
        """Build a tree, unless it is built; two at once take turns, one cut short is begun again.

        Args:
            for_: the folder of the environment, whose end ends the build.
        """
        service = re.sub(r"[^A-Za-z0-9._-]", "-", release.service).lstrip(".") or "service"
        artefact = f"{service}/{source.tree}"
        place = self.folder / artefact
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(f"{place}.lock"):
            if (place / COMPLETE).exists():
                os.utime(place / COMPLETE)
                return artefact
            marks = processes.marks(release.environment, "", for_ / "build")
            self._build(place, release, source, say, {**env, **marks})
        return artefact

    def _build(
        self, place: Path, release: Release, source: Source, say: Say, env: Mapping[str, str]
    ) -> None:
        mark = place.with_name(f"{place.name}.building")
        with suppress(FileNotFoundError):
            processes.end(Path(mark.read_text().rstrip("/")), 0)
        shutil.rmtree(place, ignore_errors=True)
        (place / FILES).mkdir(parents=True, mode=0o700)
        mark.write_text(env[processes.UNIT])
        try:
            source.export(place / FILES)
            if release.workload.build:
                say(release.workload.build)
                _run(release.workload.build, place, env)
            (place / COMPLETE).touch()
        except OSError as error:
            raise IdpError(f"cannot build in {place}: {error.strerror}") from error
        mark.unlink()

    def prune(self, named: Collection[str]) -> None:
        """Remove what no environment names, unless it is young."""
        for complete in self.folder.glob(f"*/*/{COMPLETE}"):
            place = complete.parent
            artefact = f"{place.parent.name}/{place.name}"
            with suppress(FileNotFoundError):
                if artefact in named or _is_young(complete):
                    continue
                with locked(f"{place}.lock"):
                    if not _is_young(complete):
                        complete.unlink()
                        shutil.rmtree(place, ignore_errors=True)
                        Path(f"{place}.lock").unlink()


def _is_young(complete: Path) -> bool:
    return time.time() - complete.stat().st_mtime < YOUNG


def _run(build: str, place: Path, env: Mapping[str, str]) -> None:
    log = place / "build.log"
    try:
        done = proc.run(
            ["/bin/sh", "-c", build],
            cwd=place / FILES,
            env=env,
            timeout=LONGEST,
            merge_streams=True,
        )
    except proc.CommandFailed as error:
        log.write_bytes(error.finished.stdout)
        error.args = (f"the build failed: `{build}` exited {error.finished.code}",)
        error.message = error.args[0]
        error.hint = f"all of its output: {log}"
        raise
    log.write_bytes(done.stdout)
