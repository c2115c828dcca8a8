"""The words our stories are told in: a template with releases, a service, and idp itself."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Link:
    """A symbolic link."""

    target: str


@dataclass(frozen=True)
class Script:
    """A file with its executable bit set."""

    text: str


Content = str | bytes | Link | Script | None
Files = Mapping[str, Content]

ANSWERS = ".copier-answers.yml"
QUESTIONS = "name:\n  type: str\n  help: What is it called?\n"
ANSWERS_TEMPLATE = "{{ _copier_conf.answers_file }}.jinja"

GIT_CONFIG = {
    "user.name": "Pat Tester",
    "user.email": "pat@example.com",
    "init.defaultBranch": "main",
    "core.hooksPath": "/dev/null",
    "core.quotePath": "false",
    "advice.detachedHead": "false",
    "protocol.file.allow": "always",
    "gc.auto": "0",
}

# Git notes here what it is in the middle of.
STATE_FILES = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "REBASE_HEAD", "ORIG_HEAD")


def build_tree(root: Path, files: Files) -> None:
    """Write, link and delete files below root."""
    for name, content in files.items():
        path = root / name
        if path.is_symlink() or path.is_file():
            path.unlink()
        if content is None:
            _prune(path.parent, root)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        match content:
            case Link(target):
                path.symlink_to(target)
            case Script(text):
                path.write_text(text, newline="")
                path.chmod(0o755)
            case bytes():
                path.write_bytes(content)
            case str():
                path.write_bytes(content.encode())


def _prune(folder: Path, root: Path) -> None:
    """Remove folders that became empty, as git does."""
    while folder != root and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def numbered(count: int = 12, changed: Mapping[int, str] | None = None) -> str:
    """Return lines 'line 1' to 'line count', some of them replaced."""
    changed = changed or {}
    return "".join(f"{changed.get(n, f'line {n}')}\n" for n in range(1, count + 1))


def clean_env(**more: str) -> dict[str, str]:
    """Return an environment in which git does just what a story says, whatever it set up."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    env["GIT_CONFIG_COUNT"] = str(len(GIT_CONFIG))
    for number, (key, value) in enumerate(GIT_CONFIG.items()):
        env |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return env | more


def git(where: Path, *args: str, **env: str) -> str:
    """Run git and return what it printed."""
    command = ["git", "-C", str(where), *args]
    done = subprocess.run(command, env=clean_env(**env), capture_output=True, check=False)
    if done.returncode:
        raise AssertionError(f"{command} failed: {done.stderr.decode(errors='replace')}")
    return done.stdout.decode(errors="surrogateescape")


def commit_all(repo: Path, message: str, *more: str) -> str:
    """Commit everything, hooks or not, and return the commit; `--force` adds what is ignored."""
    git(repo, "add", "--all", *more)
    git(repo, "commit", "--quiet", "--allow-empty", "--no-verify", "-m", message)
    return git(repo, "rev-parse", "HEAD").strip()


@dataclass(frozen=True)
class Run:
    """What one call of idp gave back."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        result = json.loads(self.out)
        assert isinstance(result, dict)
        return result

    @property
    def error(self) -> dict[str, Any]:
        """Return the error, which has to be the last thing on stderr and one JSON object."""
        result = json.loads(self.err[self.err.index("{") :])
        assert isinstance(result, dict)
        assert {"code", "message", "hint", "retryable"} <= set(result), result
        return result

    @property
    def outcomes(self) -> dict[str, str]:
        return {entry["path"]: entry["outcome"] for entry in self.json["files"]}

    @property
    def everything(self) -> str:
        return self.out + self.err


def idp(*argv: str | Path) -> Run:
    """Run idp in this process; it must leave the process as it found it."""
    from idp.__main__ import main

    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="") for _ in range(2))
    cwd, env = Path.cwd(), dict(os.environ)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([str(arg) for arg in argv])
        moved = not os.path.isdir(".") or Path.cwd() != cwd  # noqa: PTH112
    finally:
        os.chdir(cwd)
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())
    assert not moved, "idp left the process in another folder"
    assert dict(os.environ) == env, "idp left the environment changed"
    assert "Traceback" not in texts[1], texts[1]
    return Run(code, *texts)


def idp_process(*argv: str | Path, **more: Any) -> subprocess.Popen[bytes]:
    """Start idp as a process of its own, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "idp", *map(str, argv)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        **more,
    )


class Template:
    """A Copier template in a git repository of its own."""

    def __init__(self, path: Path, *, url: str = "") -> None:
        self.path = path
        self.url = url or str(path)
        path.mkdir(parents=True)
        git(path, "init", "--quiet")
        build_tree(path, {"copier.yml": QUESTIONS, ANSWERS_TEMPLATE: answers_template()})

    def write(self, files: Files) -> None:
        build_tree(self.path, files)

    def commit(self, files: Files | None = None, message: str = "a change") -> str:
        self.write(files or {})
        return commit_all(self.path, message, "--force")

    def release(self, tag: str, files: Files | None = None) -> str:
        """Commit the changed files and tag them; return the commit."""
        commit = self.commit(files, f"release {tag}")
        git(self.path, "tag", tag)
        return commit

    def at(self, version: str) -> str:
        return f"{self.url}@{version}"


def answers_template() -> str:
    return "# Changes here will be overwritten by Copier\n{{ _copier_answers|to_nice_yaml }}"


def settings(**keys: Any) -> str:
    """Return a copier.yml with our one question and these settings."""
    mine = {f"_{key}": value for key, value in keys.items()}
    return QUESTIONS + (yaml.safe_dump(mine) if mine else "")


class Service:
    """A service as its team has it: a folder in a git repository."""

    def __init__(self, path: Path, repo: Path | None = None) -> None:
        self.path = path
        self.repo = repo or path

    def update(self, to: str = "", *options: str | Path) -> Run:
        target = ("--to", to) if to else ()
        return idp("update-service", self.path, *target, "--json", *options)

    def git(self, *args: str) -> str:
        return git(self.repo, *args)

    def write(self, files: Files) -> None:
        build_tree(self.path, files)

    def commit(self, files: Files | None = None, message: str = "our own work") -> str:
        self.write(files or {})
        return commit_all(self.repo, message)

    def read(self, name: str) -> str:
        return (self.path / name).read_bytes().decode()

    def has(self, name: str) -> bool:
        return os.path.lexists(self.path / name)

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD").strip()

    @property
    def answers(self) -> dict[str, Any]:
        answers = yaml.safe_load(self.read(ANSWERS))
        assert isinstance(answers, dict)
        return answers

    def status(self) -> dict[str, str]:
        """Return git's two status letters of every path that is not clean."""
        fields = self.git("status", "--porcelain", "-z", "-uall", "--no-renames").split("\0")
        return {field[3:]: field[:2] for field in fields if field}

    def tracked(self) -> list[str]:
        return sorted(filter(None, self.git("ls-files", "-z").split("\0")))

    def index_stages(self) -> dict[str, dict[int, str]]:
        """Return the stages of every unmerged path, each with its content."""
        stages: dict[str, dict[int, str]] = {}
        for field in filter(None, self.git("ls-files", "--unmerged", "-z").split("\0")):
            about, name = field.split("\t", 1)
            _, blob, stage = about.split()
            stages.setdefault(name, {})[int(stage)] = self.git("cat-file", "-p", blob)
        return stages

    def staged(self, name: str) -> str:
        return self.git("show", f":0:{name}")

    def staged_mode(self, name: str) -> str:
        return self.git("ls-files", "--stage", "--", name).split()[0]

    def fingerprint(self) -> dict[str, str]:
        """Return all that must not change unasked: files, index, HEAD, refs, configuration."""
        return fingerprint(self.repo)

    @contextlib.contextmanager
    def untouched(self) -> Iterator[None]:
        """Hold that what happens inside changes nothing at all."""
        before = self.fingerprint()
        yield
        changes = difference(before, self.fingerprint())
        assert not changes, changes

    def copy(self, to: Path) -> Service:
        """Return another service, the same to the byte."""
        shutil.copytree(self.repo, to, symlinks=True)
        return Service(to / self.path.relative_to(self.repo), to)


def fingerprint(repo: Path) -> dict[str, str]:
    """Return a mark of every file below repo and of what git holds of it."""
    marks = {f"file {name}": mark for name, mark in files_below(repo).items()}
    git_dir = Path(git(repo, "rev-parse", "--absolute-git-dir").strip())
    for field in filter(None, git(repo, "ls-files", "--stage", "-v", "-z").split("\0")):
        about, name = field.split("\t", 1)
        flags, blob, stage = about.rsplit(" ", 2)
        marks[f"index {name} {stage}"] = f"{flags} {blob}"
    quiet = ("--no-optional-locks", "status", "--porcelain", "-z", "-uall", "--no-renames")
    marks["status"] = git(repo, *quiet)
    marks["HEAD"] = (git_dir / "HEAD").read_text()
    refs = git(repo, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    marks |= {f"ref {line.split()[0]}": line.split()[1] for line in refs}
    for name in STATE_FILES:
        if (git_dir / name).exists():
            marks[name] = (git_dir / name).read_text()
    marks["config"] = (git_dir / "config").read_text() if (git_dir / "config").exists() else ""
    return marks


def difference(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Return what changed between two fingerprints, a line each."""
    keys = sorted(before.keys() | after.keys())
    return [
        f"{key}: {before.get(key, 'nothing')} -> {after.get(key, 'nothing')}"
        for key in keys
        if before.get(key) != after.get(key)
    ]


def files_below(root: Path) -> dict[str, str]:
    """Return the kind and content hash of every file below root, git's own left out."""
    marks = {}
    for folder, folders, names in os.walk(root):
        if ".git" in folders:
            folders.remove(".git")
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        for path in (Path(folder) / name for name in [*names, *links]):
            marks[str(path.relative_to(root))] = mark_of(path)
    return marks


def mark_of(path: Path) -> str:
    info = path.lstat()
    if stat.S_ISLNK(info.st_mode):
        return f"link {path.readlink()}"
    kind = "executable" if info.st_mode & 0o100 else "plain"
    return f"{kind} {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"


def leftovers(repo: Path) -> list[str]:
    """Return locks, work trees and refs which only a run that is not over may hold."""
    git_dir = Path(git(repo, "rev-parse", "--absolute-git-dir").strip())
    locks = [str(path) for path in git_dir.rglob("*.lock")]
    worktrees = git(repo, "worktree", "list", "--porcelain").split("worktree ")[2:]
    refs = [ref for ref in git(repo, "for-each-ref", "--format=%(refname)").split() if "idp" in ref]
    odd = [
        name for name in files_below(repo) if ".idp-" in name or name.endswith((".orig", ".rej"))
    ]
    return [*locks, *worktrees, *refs, *odd]
