"""Rendering a release of a template with Copier."""

from __future__ import annotations

import os
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jinja2 import TemplateError
from jinja2.sandbox import SandboxedEnvironment

from idp.errors import IdpError, Interrupted, InvalidInput, Refused, UsageError
from idp.scaffold.engine import copier
from idp.scaffold.version import parse

HEADER = "# Written by idp and read by it at the next update: edit the answers, not the names.\n"


@dataclass(frozen=True)
class Job:
    """What to render.

    Attributes:
        tree: the release as a plain folder.
        url, version, commit: what is recorded of it.
        into: the folder to render into; its name is the service's folder name.
        answers: the answers recorded before.
        data: the answers given now.
        seeds: files of the service that the template reads (its `_external_data`).
        ask: ask a person for what neither holds; else defaults are taken, for former answers
            that are valid no more as well.
    """

    tree: Path
    url: str
    version: str
    commit: str
    trusted: bool
    into: Path
    answers_file: str
    answers: Mapping[str, Any]
    data: Mapping[str, Any]
    seeds: Mapping[str, bytes]
    ask: bool = False


@dataclass(frozen=True)
class Rendered:
    """The answers that a render recorded, without Copier's own keys."""

    answers: Mapping[str, Any]


def render(job: Job) -> Rendered:
    """Render a release; the answers file is always there afterwards.

    Raises:
        UsageError: an answer is missing.
        InvalidInput: an answer or the template is wrong.
        Refused: the template runs code and is not trusted.
    """
    seeded = _seed(job)
    with _standing_for(job), _plain_errors():
        worker = copier.run_copy(
            job.url,
            job.into,
            {**job.answers, **job.data} if job.ask else dict(job.data),
            answers_file=job.answers_file,
            vcs_ref=job.version,
            settings=copier.Settings(),
            defaults=not job.ask,
            overwrite=True,
            quiet=True,
            unsafe=job.trusted,
            skip_tasks=True,
        )
        recorded = worker._answers_to_remember()
    _refuse_git(job.into)
    _unseed(job, seeded)
    _record(job, recorded)
    return Rendered({k: v for k, v in recorded.items() if not k.startswith("_")})


def _refuse_git(folder: Path) -> None:
    """Refuse a render with a `.git` in it: hooks and configuration are code."""
    for path in folder.rglob("*"):
        if path.name.casefold() in (".git", "git~1"):
            raise InvalidInput(
                f"the template renders {path.relative_to(folder)}, which is git's own"
            )


def _seed(job: Job) -> dict[Path, bytes]:
    """Lay down what the template reads of a service: its last answers, and its data files."""
    last = yaml.safe_dump(dict(job.answers), sort_keys=False, allow_unicode=True).encode()
    seeds = {job.into / name: content for name, content in job.seeds.items()}
    if job.answers:
        seeds[job.into / job.answers_file] = last
    for path, content in seeds.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return seeds


def _unseed(job: Job, seeds: Mapping[Path, bytes]) -> None:
    for path, content in seeds.items():
        if path.is_file() and path.read_bytes() == content:
            path.unlink()


def _record(job: Job, recorded: Mapping[str, Any]) -> None:
    """Write the answers file of a template that brings none, so that it can be updated."""
    path = job.into / job.answers_file
    if not os.path.lexists(path):  # a link that leads nowhere would be written through
        path.parent.mkdir(parents=True, exist_ok=True)
        dumped = yaml.safe_dump(dict(recorded), sort_keys=False, allow_unicode=True)
        path.write_text(HEADER + dumped, encoding="utf-8")


@contextmanager
def _standing_for(job: Job) -> Iterator[None]:
    """Let Copier take an exported folder for the release that it was exported from.

    Copier would clone the repository for each render, walk its .git, and start one git process
    per file that it writes. These are internals: pyproject.toml pins Copier's minor version, and
    tests/scaffold/test_render.py compares with a render by Copier alone.
    """
    facts = {
        "local_abspath": job.tree,
        "commit": job.version,
        "commit_hash": job.commit,
        "version": parse(job.version),
        "vcs": None,
        "git_index_modes": {},
    }
    with (
        _swapped(copier._template.Template, {k: _constant(v) for k, v in facts.items()}),
        _swapped(copier._main, {"is_git_available": lambda: False}),
        _swapped(SandboxedEnvironment, {"from_string": _compiling_once()}),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield


def _constant(value: object) -> property:
    return property(lambda _: value)


def _compiling_once() -> Callable[..., Any]:
    """Copier compiles the answers file's name and each folder's anew for every path."""
    original = SandboxedEnvironment.from_string
    compiled = cache(original)

    def from_string(self: SandboxedEnvironment, source: Any, *args: Any, **kwargs: Any) -> Any:
        if args or kwargs or not isinstance(source, str):
            return original(self, source, *args, **kwargs)
        self.preprocess(source)  # Copier's `yield` starts anew there, for each path
        return compiled(self, source)

    return from_string


@contextmanager
def _swapped(owner: Any, values: Mapping[str, Any]) -> Iterator[None]:
    own = {name: vars(owner)[name] for name in values if name in vars(owner)}
    for name, value in values.items():
        setattr(owner, name, value)
    try:
        yield
    finally:
        for name in values:
            if name in own:
                setattr(owner, name, own[name])
            else:
                delattr(owner, name)


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Translate what Copier, Jinja and templates raise."""
    try:
        yield
    except IdpError:
        raise
    except copier.errors.UnsafeTemplateError as error:
        raise Refused("the template runs code while it renders", hint="--trust it") from error
    except copier.errors.CopierAnswersInterrupt as error:
        raise Interrupted("nothing was written") from error
    except copier.errors.CopierError as error:
        raise InvalidInput(f"the template cannot be rendered: {error}") from error
    except Exception as error:  # a template's expressions can raise anything
        raise _about(error) from error


def _about(error: Exception) -> IdpError:
    """Say which question, or which file of the template, an error is about."""
    message = str(error) or type(error).__name__
    if message.startswith("Question ") and message.endswith("is required"):
        name = message.split('"')[1]
        return UsageError(f"{name} has no answer and no default", hint=f"--data {name}=…")
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    files = [
        f"{f.f_code.co_filename}:{f.f_lineno}"
        for f in frames
        if "__jinja_exception__" in f.f_globals
    ]
    asked = [str(f.f_locals["var_name"]) for f in frames if "var_name" in f.f_locals]
    if isinstance(error, TemplateError) and getattr(error, "lineno", None):
        files = [f"{getattr(error, 'filename', None) or 'the template'}:{error.lineno}"]  # type: ignore[attr-defined]
    if files:
        return InvalidInput(f"{files[-1]}: {message}", hint="the template has to be mended")
    if asked:
        return InvalidInput(f"{asked[-1]}: {message}", hint=f"--data {asked[-1]}=…")
    return InvalidInput(f"the template cannot be rendered: {message}")
