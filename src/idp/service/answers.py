"""What a service remembers of its template: the answers file, today's and as it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from idp import git
from idp.errors import InvalidInput, NotFound

DEFAULT = ".copier-answers.yml"


@dataclass(frozen=True)
class Answers:
    """An answers file: which template, which release, and what was answered."""

    template: str
    version: str
    values: Mapping[str, Any]

    @classmethod
    def parse(cls, content: bytes, where: str) -> Answers:
        """Read an answers file.

        Raises:
            InvalidInput: it is no YAML, or names no template or release.
        """
        import yaml

        try:
            values = yaml.load(content, Loader=yaml.CSafeLoader)
            raw = yaml.load(content, Loader=yaml.BaseLoader)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
            problem = getattr(error, "problem", None) or error
            raise InvalidInput(f"{where}{place}: {problem}", hint="mend it and commit") from error
        if not isinstance(values, dict):
            raise InvalidInput(f"{where}: expected answers as `name: value`")
        for key in ("_src_path", "_commit"):
            if not isinstance(raw.get(key), str) or not raw[key]:
                raise InvalidInput(f"{where}: `{key}` is missing", hint="restore it from history")
        own = {str(k): v for k, v in values.items() if not str(k).startswith("_")}
        return cls(raw["_src_path"], raw["_commit"], own)

    @property
    def release(self) -> tuple[str, str]:
        """The template and its release."""
        return self.template, self.version


@dataclass(frozen=True)
class Origin:
    """Answers as a commit held them."""

    answers: Answers
    commit: str


@dataclass(frozen=True)
class Service:
    """A service in a repository, as it was last committed.

    Attributes:
        prefix: its folder in the repository, with `/` at the end; empty at the top.
        origins: the answers that the files may follow, with their commits, oldest first.
    """

    repo: git.Repo
    prefix: str
    head: str
    answers_file: str
    answers: Answers
    origins: tuple[Origin, ...]

    @property
    def folder(self) -> Path:
        """The service's folder."""
        return self.repo.top / self.prefix

    def tree(self, commit: str) -> str:
        """Return what names the tree of the service's files in a commit."""
        return f"{commit}:{self.prefix.rstrip('/')}"


def locate(path: Path) -> tuple[git.Repo, str]:
    """Return the repository of a service folder and the folder's prefix in it."""
    repo = git.find(path)
    relative = path.resolve().relative_to(repo.top.resolve()).as_posix()
    return repo, "" if relative == "." else f"{relative}/"


def find(repo: git.Repo, prefix: str, answers_file: str = "") -> Service:
    """Return the service in a folder of a repository.

    Args:
        prefix: the folder, as `locate` gives it.
        answers_file: which answers, where several templates serve one folder.

    Raises:
        NotFound: no such folder, or no answers file in its last commit.
        InvalidInput: the answers file is damaged, or its history is cut off.
    """
    head = repo.head()
    name = f"{prefix}{answers_file or DEFAULT}"
    content = _blob(repo, head, name)
    if content is None and not answers_file:
        name = f"{prefix}{_only_answers_file(repo, prefix)}"
        content = _blob(repo, head, name)
    if content is None:
        raise _no_answers(repo.top / prefix, answers_file or DEFAULT)
    answers = Answers.parse(content, str(repo.top / name))
    return Service(
        repo, prefix, head, name.removeprefix(prefix), answers, _origins(repo, name, answers)
    )


def _blob(repo: git.Repo, commit: str, name: str) -> bytes | None:
    done = repo.run("cat-file", "blob", f"{commit}:{name}", ok=(0, 128))
    return None if done.code else done.stdout


def _only_answers_file(repo: git.Repo, prefix: str) -> str:
    """Return the name of the one answers file that is not called as usual."""
    where = f":(top,glob){prefix}*.y*ml"
    asked = ("grep", "-lz", "--full-name", "-e", "^_src_path:", "HEAD", "--", where)
    done = repo.run(*asked, ok=(0, 1))
    found = [name.split(":", 1)[1] for name in done.stdout.decode().split("\0") if name]
    if len(found) > 1:
        raise InvalidInput(f"several answers files: {', '.join(found)}", hint="--answers-file FILE")
    return found[0].removeprefix(prefix) if found else DEFAULT


def _no_answers(path: Path, answers_file: str) -> NotFound:
    if (path / answers_file).exists():
        return NotFound(f"{path / answers_file} is not committed", hint="commit the service first")
    return NotFound(
        f"{path} has no {answers_file}: no template made it",
        hint="make a service: idp create-service NAME --type TYPE",
    )


def _origins(repo: git.Repo, name: str, now: Answers) -> tuple[Origin, ...]:
    """Return the answers since the commit that last changed the recorded release, oldest first.

    Normally these are one. More are hand edits, wishes for the next update which the files do
    not follow yet, or answers given to an update on the same release, which they do follow.
    """
    commits = repo.text("log", "--format=%H", "--", f":(top,literal){name}").split()
    asked = "".join(f"{commit}:{name}\n" for commit in commits).encode(errors="surrogateescape")
    contents = git.batch(repo.run("cat-file", "--batch", stdin=asked).stdout)
    found = []
    for commit, content in zip(commits, contents, strict=True):
        then = _parsed(content, name)
        if then is None or then.release != now.release:
            break
        found.append(Origin(then, commit))
    else:
        _check_not_cut(repo, commits[-1])
    distinct = {repr(sorted(o.answers.values.items(), key=str)): o for o in found}
    return tuple(reversed(distinct.values()))


def _parsed(content: bytes, name: str) -> Answers | None:
    try:
        return Answers.parse(content, name)
    except InvalidInput:
        return None


def _check_not_cut(repo: git.Repo, commit: str) -> None:
    if repo.shallow and commit in (repo.common_dir / "shallow").read_text().split():
        raise InvalidInput(
            f"{repo.top} is a shallow clone: what the service was made with is cut off",
            hint="run `git fetch --unshallow`",
        )


def with_comments(answers: bytes, mine: bytes) -> bytes:
    """Return an answers file with the owner's own comment lines in front."""
    known = set(answers.splitlines())
    own = [line for line in mine.splitlines() if line.startswith(b"#") and line not in known]
    return b"".join(line + b"\n" for line in own) + answers
