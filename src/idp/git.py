"""The one door for git: the binary, run so that no configuration of the user bends a result."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from idp import proc
from idp.errors import InvalidInput, NotAllowed, NotFound, Refused, RemoteFailed

# A hook's GIT_DIR would make us write into the caller's repository; what reaches a server stays.
KEPT = (
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_ASKPASS",
    "GIT_SSL_CAINFO",
    "GIT_SSL_NO_VERIFY",
    "GIT_PROXY_COMMAND",
    "GIT_EXEC_PATH",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_AUTHOR_NAME",
    "GIT_AUTHOR_EMAIL",
    "GIT_AUTHOR_DATE",
    "GIT_COMMITTER_NAME",
    "GIT_COMMITTER_EMAIL",
    "GIT_COMMITTER_DATE",
)

STEADY = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.quotePath=false",
    "commit.gpgSign=false",
    "tag.gpgSign=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "advice.detachedHead=false",
    "protocol.allow=never",
    "protocol.file.allow=always",
    "protocol.https.allow=always",
    "protocol.ssh.allow=always",
)

FALLBACK_IDENTITY = {"NAME": "idp", "EMAIL": "idp@localhost"}

DENIED = re.compile(
    r"authentication failed|permission denied|could not read username|returned error: 40[13]\b",
    re.IGNORECASE,
)

IN_PROGRESS = {
    "MERGE_HEAD": "a merge",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
}

ABSENT = "0"
"""The mode that removes a path from an index."""


def clean_env(**more: str) -> dict[str, str]:
    """Return the environment without what git sets inside hooks, and never asking at a terminal."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_") or k in KEPT}
    return env | {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"} | more


# The first line empties the list: a helper of the user would be told to keep our token on disk.
_HELPER = (
    "",
    '!f() { [ "$1" = get ] && printf "username=%s\\npassword=%s\\n" "$IDP_USER" "$IDP_TOKEN"; }; f',
)


def logged_in(url: str, user: str, token: str) -> dict[str, str]:
    """Return the environment in which git knows a token for an https server, and for no other.

    The token is in no argument, in no URL and on no disk.
    """
    parts = urlsplit(url)
    settings = {"GIT_CONFIG_COUNT": str(len(_HELPER))}
    for number, value in enumerate(_HELPER):
        settings[f"GIT_CONFIG_KEY_{number}"] = f"credential.{parts.scheme}://{parts.netloc}.helper"
        settings[f"GIT_CONFIG_VALUE_{number}"] = value
    return clean_env(**settings, IDP_USER=user, IDP_TOKEN=token)


def run(
    *args: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    config: Sequence[str] = (),
    ok: Sequence[int] = (0,),
    timeout: float = 600,
) -> proc.Finished:
    """Run git with a steady configuration; `config` holds further `key=value` settings."""
    settings = [word for setting in (*STEADY, *config) for word in ("-c", setting)]
    command = ["git", *settings, *args]
    try:
        return proc.run(
            command, cwd=cwd, env=env or clean_env(), stdin=stdin, ok=ok, timeout=timeout
        )
    except proc.CommandFailed as error:
        raise proc.CommandFailed(("git", args[0]), error.finished) from None


@contextmanager
def talking_to(url: str) -> Iterator[None]:
    """Say of a failure that it was the server's: NotAllowed, or RemoteFailed."""
    try:
        yield
    except proc.CommandFailed as error:
        if DENIED.search("\n".join(error.details)):
            hint = "check `idp auth status`, git's credentials for it, or your ssh key"
            raise NotAllowed(f"{url} refused us", hint=hint, details=error.details) from error
        raise RemoteFailed(f"cannot reach {url}", details=error.details) from error


def text(*args: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """Run git and return its output without white space at the ends."""
    return run(*args, cwd=cwd, env=env).stdout.decode(errors="surrogateescape").strip()


@dataclass(frozen=True, order=True)
class Entry:
    """A file of a tree or an index: its mode in octal and its blob."""

    mode: str
    oid: str


Tree = Mapping[str, Entry]
"""The files of a tree by path."""


@dataclass(frozen=True)
class Repo:
    """A work tree and its git folder (in a linked worktree, that worktree's own)."""

    top: Path
    git_dir: Path
    common_dir: Path
    shallow: bool = False
    object_format: str = "sha1"

    def run(
        self,
        *args: str,
        stdin: bytes | None = None,
        index: Path | None = None,
        ok: Sequence[int] = (0,),
        config: Sequence[str] = (),
    ) -> proc.Finished:
        """Run git on this repository, with another index file where one is given."""
        env = clean_env(GIT_INDEX_FILE=str(index)) if index else clean_env()
        return run(*args, cwd=self.top, env=env, stdin=stdin, ok=ok, config=config)

    def text(self, *args: str) -> str:
        """Run git and return its output without white space at the ends."""
        return self.run(*args).stdout.decode(errors="surrogateescape").strip()

    @cached_property
    def objects(self) -> Path:
        """The folder of the object database."""
        return self.common_dir / "objects"

    @property
    def nothing(self) -> str:
        """The name of no object."""
        return "0" * (64 if self.object_format == "sha256" else 40)

    @property
    def index(self) -> Path:
        """The index file."""
        return self.git_dir / "index"

    def head(self) -> str:
        """Return the commit checked out; raise InvalidInput before the first one."""
        done = self.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}", ok=(0, 1))
        if done.code:
            raise InvalidInput(f"{self.top} has no commit yet", hint="commit your files first")
        return done.stdout.decode().strip()

    def is_detached(self) -> bool:
        """Tell whether HEAD is a commit and not a branch."""
        return not (self.git_dir / "HEAD").read_text().startswith("ref:")


def find(path: Path) -> Repo:
    """Return the repository that `path` lies in.

    Raises:
        NotFound: there is no such folder.
        InvalidInput: the folder is in no git work tree.
    """
    if not path.is_dir():
        raise NotFound(f"no folder {path}")
    asked = (
        "--show-toplevel",
        "--absolute-git-dir",
        "--git-common-dir",
        "--is-shallow-repository",
        "--show-object-format",
    )
    done = run("rev-parse", *asked, cwd=path, ok=(0, 128))
    if done.code:
        reason = done.stderr.decode(errors="replace").strip().removeprefix("fatal: ")
        raise InvalidInput(f"{path} is not in a git work tree: {reason}", hint="run `git init`")
    said = done.stdout.decode(errors="surrogateescape").split("\n")
    top, git_dir, common, shallow, object_format = said[:5]
    return Repo(
        Path(top), Path(git_dir), (path / common).resolve(), shallow == "true", object_format
    )


def check_calm(repo: Repo, *, detached_is_fine: bool) -> None:
    """Raise Refused in the middle of a merge or rebase, or where HEAD is on no branch."""
    for name, what in IN_PROGRESS.items():
        if (repo.git_dir / name).exists():
            raise Refused(f"{what} is in progress in {repo.top}", hint="finish or abort it first")
    if not detached_is_fine and repo.is_detached():
        raise Refused(f"{repo.top} has a detached HEAD", hint="run `git switch BRANCH`")


def tree_of(listing: bytes) -> dict[str, Entry]:
    """Read `git ls-tree -r -z`."""
    files = {}
    for line in _records(listing):
        meta, path = line.split("\t", 1)
        mode, _, oid = meta.split(" ")
        files[path] = Entry(mode, oid)
    return files


def staged(repo: Repo, under: str) -> dict[str, dict[int, Entry]]:
    """Return what the index holds below a folder of the repository ("" is its top).

    By path and stage: 0 is merged, 1–3 are the sides of a conflict.
    """
    where = f":(literal){under}" if under else "."
    listing = repo.run("ls-files", "--stage", "-z", "--full-name", "--", where).stdout
    entries: dict[str, dict[int, Entry]] = {}
    for line in _records(listing):
        meta, path = line.split("\t", 1)
        mode, oid, stage = meta.split(" ")
        entries.setdefault(path, {})[int(stage)] = Entry(mode, oid)
    return entries


def index_lines(path: str, stages: Mapping[int, Entry], nothing: str) -> bytes:
    """Return `update-index --index-info -z` lines that make `path` hold exactly these stages."""
    lines = [f"{ABSENT} {nothing}\t{path}"]
    lines += [f"{e.mode} {e.oid} {stage}\t{path}" for stage, e in sorted(stages.items())]
    return "".join(f"{line}\0" for line in lines).encode(errors="surrogateescape")


def _records(listing: bytes) -> Iterable[str]:
    return filter(None, listing.decode(errors="surrogateescape").split("\0"))


def identity_env(cwd: Path) -> dict[str, str]:
    """Return the environment that names an author where the user has told git no name."""
    if run("var", "GIT_COMMITTER_IDENT", cwd=cwd, ok=(0, 128)).code == 0:
        return {}
    return {
        f"GIT_{who}_{part}": value
        for who in ("AUTHOR", "COMMITTER")
        for part, value in FALLBACK_IDENTITY.items()
    }


def batch(output: bytes) -> Iterator[bytes]:
    """Yield the contents that `git cat-file --batch` printed; an object that is missing is b''."""
    at = 0
    while at < len(output):
        end = output.index(b"\n", at)
        header = output[at:end].split(b" ")
        if header[-1] == b"missing":
            yield b""
            at = end + 1
            continue
        size = int(header[-1])
        yield output[end + 1 : end + 1 + size]
        at = end + 1 + size + 1


def add_remote(folder: Path, name: str, url: str) -> None:
    """Add a remote to the repository in a folder."""
    from git import Repo as History  # GitPython: history and remotes

    with History(folder) as repo:
        repo.create_remote(name, url)
