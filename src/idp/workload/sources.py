"""The files that a workload names are read into it, so that it stands without its checkout."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from idp.catalog.files import read_plain
from idp.catalog.problem import written
from idp.errors import InvalidInput
from idp.workload.model import File, Workload

MOST = 2**20
"""As many bytes as all of a workload's files may have: a Kubernetes object takes no more."""


def whole(workload: Workload, folder: Path) -> Workload:
    """Return a workload whose files hold their content themselves.

    A source that is no UTF-8 becomes bytes, in which nothing is filled.

    Args:
        folder: the one that score.yaml is in; a source that leads out of it is refused.

    Raises:
        InvalidInput: a source is not there, is no plain file, or all are too large.
    """
    left, containers = MOST, []
    for container in workload.containers:
        files = []
        for file in container.files:
            here = written(("containers", container.name, "files", file.target, "source"))
            one = _with_content(file, folder, here) if file.source else file
            left -= len(one.data or b"") + len((one.text or "").encode())
            if left < 0:
                what = f"{here}: the workload's files have more than {MOST} bytes together"
                raise InvalidInput(what, hint="put large files into the image")
            files.append(one)
        containers.append(replace(container, files=tuple(files)))
    return replace(workload, containers=tuple(containers))


def _with_content(file: File, folder: Path, here: str) -> File:
    path = folder / file.source
    try:
        if not path.resolve().is_relative_to(folder.resolve()):
            what = f"{here}: {file.source} is outside the service's folder"
            raise InvalidInput(what, hint="copy it into the service")
        if path.stat().st_size > MOST:
            what = f"{here}: {file.source} has more than {MOST} bytes"
            raise InvalidInput(what, hint="put large files into the image")
        data = read_plain(path)
    except (OSError, RuntimeError) as error:
        why = error.strerror if isinstance(error, OSError) else "its links go in a circle"
        what = f"{here}: cannot read {file.source}: {why}"
        raise InvalidInput(what, hint="it is a path relative to score.yaml") from None
    try:
        return replace(file, text=data.decode(), source="")
    except UnicodeDecodeError:
        return replace(file, data=data, source="")
