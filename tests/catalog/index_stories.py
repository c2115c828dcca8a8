"""Words for stories about the index: files that are written, ingested, opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from idp.catalog.ingest import Order, Origin, Outcome, ingest
from idp.catalog.source.folder import FolderSource
from idp.catalog.source.grammar import parse_place
from idp.clock import Clock

from ..clock import FakeClock


def written(folder: Path, files: Mapping[str, str | None]) -> Path:
    """Write files below a folder; None removes one."""
    for name, text in files.items():
        path = folder / name
        if text is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def later(**passed: float) -> FakeClock:
    """Return a clock that is ahead: files that were just written are no longer young to it."""
    return FakeClock(datetime.now(UTC) + timedelta(minutes=5) + timedelta(**passed))


def origin(folder: Path | str, position: int = 0) -> Origin:
    """Return a folder as a source."""
    place = parse_place(str(folder), base=Path.cwd())
    return Origin(FolderSource(place, later()), position)


def ingested(
    index: Path,
    folders: Sequence[Path | str],
    clock: Clock | None = None,
    order: Order | None = None,
) -> Outcome:
    """Bring an index up to date with some folders."""
    origins = [origin(folder, number) for number, folder in enumerate(folders)]
    return ingest(index, origins, clock or later(), order or Order()).outcome


def made(tmp_path: Path, files: Mapping[str, str]) -> Path:
    """Write catalog files below `tmp_path/org`, and return an index of them."""
    index = tmp_path / "index" / "catalog.db"
    ingested(index, [written(tmp_path / "org", dict(files))])
    return index


def component(name: str, owner: str = "team-a", **spec: object) -> str:
    """Return a Component as YAML; `spec` may add to it, or take other values."""
    held: dict[str, object] = {"type": "service", "lifecycle": "production", "owner": owner, **spec}
    lines = [f"  {key}: {value}" for key, value in held.items()]
    head = f"apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\nspec:\n"
    return head + "\n".join(lines) + "\n"


def group(name: str, **spec: object) -> str:
    """Return a Group as YAML."""
    held: dict[str, object] = {"type": "team", "children": [], **spec}
    lines = [f"  {key}: {value}" for key, value in held.items()]
    head = f"apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata:\n  name: {name}\nspec:\n"
    return head + "\n".join(lines) + "\n"
