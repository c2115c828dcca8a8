"""Releasing a template: its working files become an immutable folder, or a tag."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from idp import git
from idp.errors import InvalidInput, NotFound, Refused
from idp.plan import Effect, Plan
from idp.releases.folder import digest
from idp.releases.links import SHARED, straying, write_out
from idp.releases.repository import is_git
from idp.road import Road
from idp.scaffold import config
from idp.scaffold.version import newest_first, parse
from idp.template.show import CHANGELOG

HASHES = "releases.sha256"
"""Beside the templates' folders: `SHA-256  NAME/releases/X.Y.Z`, a line a release."""

RELEASES = "releases"
"""The folder in a template that holds its releases."""

SEMVER = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?")
"""A version by https://semver.org, without build metadata."""


@dataclass(frozen=True)
class Released:
    """A release that was made, or would be; `place` is a folder or a tag."""

    name: str
    version: str
    place: str
    digest: str


@dataclass(frozen=True)
class Prepared:
    """A release that is ready to be made.

    Attributes:
        draft: what a release in a folder consists of.
        tag: what makes it, empty where releases are folders.
    """

    source: Path
    draft: Path
    tag: str
    released: Released
    plan: Plan

    def seen(self) -> dict[str, str]:
        """Return what the plan's preconditions name, read anew."""
        if self.tag:
            return {"HEAD": git.find(self.source).head()}
        return {"release": "there" if Path(self.released.place).exists() else "absent"}


@contextmanager
def prepared(source: Path, version: str) -> Iterator[Prepared]:
    """Prepare the release of the template in a folder.

    A template that is a git repository of its own gets a tag `vX.Y.Z`; one in a folder of
    templates gets the folder `releases/X.Y.Z` and a line in `releases.sha256`.

    Raises:
        InvalidInput: the version is no SemVer, or the changelog does not name it.
        Refused: the release is there, is not newer, or there are uncommitted changes.
    """
    if not SEMVER.fullmatch(version):
        raise InvalidInput(f"{version!r} is no version", hint="MAJOR.MINOR.PATCH, like 1.4.0")
    with tempfile.TemporaryDirectory(prefix="idp-release-") as folder:
        draft = source if is_git(source) else _draft(source, Path(folder) / version)
        _check_links(source, config.read(draft))
        _check_changelog(source, version)
        tag = _tag_name(source, version)
        if tag:
            yield _tag(source, draft, version, tag)
        else:
            yield _folder(source, draft, version)


def release(made: Prepared, road: Road) -> Released:
    """Make a release that was prepared."""

    def apply() -> Released:
        if made.tag:
            _write_tag(made)
        else:
            _lay_down(made)
        return made.released

    return road.carry_out(made.plan, apply, observe=made.seen, proof=lambda done: done.digest)


def _write_tag(made: Prepared) -> None:
    message, commit = f"{made.released.name} {made.released.version}", made.released.digest
    words = ("tag", "--annotate", "-m", message, made.tag, commit)
    git.run(*words, cwd=made.source, env=git.clean_env(**git.identity_env(made.source)))


def _lay_down(made: Prepared) -> None:
    target = Path(made.released.place)
    part = target.with_name(f".{made.released.version}.part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(made.draft, part, symlinks=True)
    _add_hash(made.source.parent / HASHES, made.released)
    part.rename(target)


def _draft(source: Path, draft: Path) -> Path:
    """Lay down what a release consists of: the files, those shared with others too."""
    write_out(source, draft, leave_out=(RELEASES,))
    return draft


def _check_links(source: Path, read: config.TemplateConfig) -> None:
    """Refuse links out of the template, unless it renders links as links."""
    if not read.settings.get("preserve_symlinks") and (
        wrong := straying(source, (RELEASES, ".git"))
    ):
        raise InvalidInput(
            f"{source / wrong[0]} is a link that leads out of the template",
            hint=f"link inside it, or into the folder {SHARED!r} beside it",
        )


def _check_changelog(source: Path, version: str) -> None:
    log = source / CHANGELOG
    if not log.is_file():
        raise NotFound(f"{log} is missing", hint="say there what each release changes")
    if not re.search(
        rf"^##\s+\[?v?{re.escape(version)}(?![\w+-]|\.\d)", log.read_text("utf-8"), re.M
    ):
        raise InvalidInput(f"{log} has no section for {version}", hint=f"add `## {version}`")


def _check_newer(version: str, known: list[str]) -> None:
    ordered = newest_first(known)
    if version in known or any(parse(version) == parse(v) for v in known):
        raise Refused(f"release {version} is there already: releases are immutable")
    new, last = parse(version), parse(ordered[0]) if ordered else None
    if new and last and new < last:
        raise Refused(f"{version} is older than the newest release {ordered[0]}")


def _tag_name(source: Path, version: str) -> str:
    """Return the tag that makes a release, empty where releases are folders.

    A repository's own template is tagged `v1.2.3`; one of several in it `NAME/v1.2.3`, or as its
    tags are spelled so far.
    """
    if is_git(source):
        return f"v{version}"
    try:
        repo = git.find(source)
    except InvalidInput:
        return ""
    known = repo.text("tag", "--list", f"{source.name}[-/]v[0-9]*").split()
    return f"{source.name}{known[-1][len(source.name)]}v{version}" if known else ""


def _tag(source: Path, draft: Path, version: str, tag: str) -> Prepared:
    repo, prefix = git.find(source), tag.removesuffix(f"v{version}")
    tags = repo.text("tag", "--list", f"{prefix}*").split()
    _check_newer(version, [name.removeprefix(prefix) for name in tags])
    if repo.text("status", "--porcelain"):
        raise Refused(f"{source} has uncommitted changes", hint="commit them first")
    head = repo.head()
    plan = Plan(
        "release",
        str(source),
        inputs={"version": version},
        preconditions={"HEAD": head},
        effects=(Effect("added", f"tag {tag}"),),
    )
    return Prepared(source, draft, tag, Released(source.name, version, tag, head), plan)


def _folder(source: Path, draft: Path, version: str) -> Prepared:
    target = source / RELEASES / version
    _check_newer(version, [p.name for p in target.parent.glob("[0-9]*")])
    released = Released(source.name, version, str(target), digest(draft))
    plan = Plan(
        "release",
        str(source),
        inputs={"version": version},
        preconditions={"release": "absent"},
        result=released.digest,
        effects=(Effect("added", str(target)), Effect("updated", HASHES)),
    )
    return Prepared(source, draft, "", released, plan)


def _add_hash(path: Path, released: Released) -> None:
    name = f"{released.name}/releases/{released.version}"
    hashes = read_hashes(path) if path.exists() else {}
    hashes[name] = released.digest
    part = path.with_suffix(".part")
    part.write_text("".join(f"{h}  {n}\n" for n, h in sorted(hashes.items())), "utf-8")
    part.replace(path)


def read_hashes(path: Path) -> dict[str, str]:
    """Return the digest of each release that is listed, by its path."""
    lines = (line.split() for line in path.read_text("utf-8").splitlines())
    return {name: hashed for hashed, name in lines}


@dataclass(frozen=True)
class Verified:
    """What is wrong with the releases of a folder of templates: there should be nothing."""

    altered: tuple[str, ...]


def verify(root: Path) -> Verified:
    """Hold the releases below a folder of templates against `releases.sha256`.

    A release once listed may not change or go, and one that is there must be listed.

    Raises:
        NotFound: the folder has no such list.
    """
    if not (root / HASHES).is_file():
        raise NotFound(f"no {root / HASHES}", hint="`idp template release` writes it")
    listed = read_hashes(root / HASHES)
    there = {p.relative_to(root).as_posix(): p for p in root.glob("*/releases/[0-9]*")}
    wrong = [f"{name}: not listed in {HASHES}" for name in there.keys() - listed.keys()]
    wrong += [f"{name}: is gone" for name in listed.keys() - there.keys()]
    wrong += [
        f"{name}: differs from what was released"
        for name in there.keys() & listed.keys()
        if digest(there[name]) != listed[name]
    ]
    return Verified(tuple(sorted(wrong)))
