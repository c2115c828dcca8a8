"""A throwaway clone: a repository is changed as its forge has it, and no work tree is touched."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from urllib.parse import urlsplit

from idp import git, proc
from idp.errors import InvalidInput, NotAllowed, NotFound, Refused, RemoteFailed
from idp.workshop import workshop

HEADS = "refs/heads/"
IDENTITY = re.compile(rb"(?P<name>.*) <(?P<email>[^<>]*)> \d+ [+-]\d+\n")


NO_BRANCH = "couldn't find remote ref"
"""How git says that there is no such branch."""


def _is_final(error: proc.CommandFailed) -> bool:
    """Tell whether it is the server's answer, and no accident on the way."""
    said = "\n".join(error.details)
    return NO_BRANCH in said or git.DENIED.search(said) is not None


@dataclass(frozen=True)
class Remote:
    """A repository to clone: its URL, and the environment in which git may reach it.

    Attributes:
        name: what it is called in errors.
        refs: where its branches are; in a clone of somebody's they are that clone's remote ones.
    """

    url: str
    env: Mapping[str, str]
    name: str
    refs: str = HEADS

    def read(self, *args: str, cwd: Path | None = None) -> bytes:
        """Run a git command that reads from it; where it fails, once more: a connection may break.

        Raises:
            NotAllowed, RemoteFailed: what git says of it.
        """
        with git.talking_to(self.url):
            try:
                return git.run(*args, cwd=cwd, env=self.env).stdout
            except proc.CommandFailed as error:
                if _is_final(error):
                    raise
            return git.run(*args, cwd=cwd, env=self.env).stdout

    def tips(self, *branches: str) -> dict[str, str]:
        """Return the commit at the tip of each of these branches, "" where there is none."""
        wanted = {f"{self.refs}{branch}": branch for branch in branches}
        said = self.read("ls-remote", "--", self.url, *wanted).decode()
        rows = dict(line.split("\t")[::-1] for line in said.splitlines())
        return {branch: rows.get(ref, "") for ref, branch in wanted.items()}

    def default(self) -> str:
        """Return the default branch.

        Raises:
            NotFound: there is none, as before the first commit.
        """
        said = self.read("ls-remote", "--symref", "--", self.url, "HEAD").decode()
        found = re.match(r"ref: refs/heads/(\S+)\tHEAD\n", said)
        if not found:
            raise NotFound(f"{self.name} has no default branch")
        return found[1]


@dataclass(frozen=True)
class Clone:
    """The clone; HEAD is the tip of one branch, and nothing is checked out."""

    repo: git.Repo
    remote: Remote
    branch: str

    def fetch(self, branch: str) -> str:
        """Fetch another branch and return the commit at its tip; "" where there is none."""
        return _fetch(self.remote, self.repo.top, branch)

    def write_tree(self, base: str, lines: bytes) -> str:
        """Write the tree that a commit's tree becomes by these lines (`git.index_lines`)."""
        index = self.repo.git_dir / "update-index"
        self.repo.run("read-tree", base, index=index)
        self.repo.run("update-index", "-z", "--replace", "--index-info", stdin=lines, index=index)
        return self.repo.run("write-tree", index=index).stdout.decode().strip()

    def write_commit(self, tree: str, parent: str, message: str, who: Mapping[str, str]) -> str:
        """Write a commit; `who` is the environment that names its author."""
        asked = ("commit-tree", tree, "-p", parent, "-m", message)
        return git.text(*asked, cwd=self.repo.top, env=git.clean_env(**who))

    def word(self, *args: str) -> str:
        """Run git on the clone and return what it prints."""
        return self.repo.text(*args)

    def is_ours(self, base: str, tip: str, trailer: str) -> bool:
        """Tell whether a branch holds nothing, beyond its base, but one commit as idp wrote it.

        Args:
            trailer: the trailer of the commit's message that names the commit's own tree.
        """
        commits = self.word("rev-list", f"{base}..{tip}").split()
        if not commits:
            return True
        told = f"%(trailers:key={trailer},valueonly=true,separator=%x20)"
        said = self.word("log", "-1", f"--format=%T %P%n{told}", tip)
        about, _, named = said.partition("\n")
        tree, *parents = about.split()
        return len(commits) == 1 == len(parents) and named.strip() == tree

    def holds(self, base: str, tip: str, tree: str) -> bool:
        """Tell whether a branch, merged into its base, comes to a tree."""
        if self.word("rev-parse", f"{tip}^{{tree}}") == tree:
            return True
        asked = ("merge-tree", "--write-tree", "--allow-unrelated-histories", base, tip)
        done = self.repo.run(*asked, ok=(0, 1))
        return done.code == 0 and done.stdout.decode().strip() == tree

    def push(self, branch: str, tip: str, commit: str) -> None:
        """Make a commit the tip of a branch, or delete the branch where it is "".

        Args:
            tip: what the tip must be still, "" for no such branch.

        Raises:
            Refused: somebody pushed in between.
            NotAllowed: the remote does not let us.
        """
        remote, ref = self.remote, f"{HEADS}{branch}"
        lease = f"--force-with-lease={ref}:{tip}"
        asked = ("--porcelain", lease, "--", remote.url, f"{commit}:{ref}")
        try:
            with git.talking_to(remote.url):
                done = git.run("push", *asked, cwd=self.repo.top, env=remote.env, ok=(0, 1))
                rejected = _rejected(done.stdout.decode(errors="replace"))
                if done.code and not rejected:
                    raise proc.CommandFailed(("git", "push"), done)
        except RemoteFailed:
            # The answer may have been lost after the work was done.
            if remote.tips(branch)[branch] != commit:
                raise
            return
        if rejected:
            said = (rejected, *done.stderr.decode(errors="replace").splitlines())
            raise _refusal(remote.name, branch, said)


@contextmanager
def cloned(remote: Remote, branch: str, room: Path, borrow: git.Repo | None) -> Iterator[Clone]:
    """Clone a branch with its whole history; the clone goes when the block ends.

    Errors inside the block name the remote where they would name the clone's folder.

    Args:
        room: the folder for what is passing.
        borrow: a repository that may have the objects already.

    Raises:
        NotFound: there is no such branch.
        RemoteFailed, NotAllowed: the remote cannot be reached, or lets nobody in.
    """
    with workshop(room) as folder:
        top = folder / _folder_name(remote.name)
        _init(top, borrow)
        commit = _fetch(remote, top, branch)
        if not commit:
            raise NotFound(f"{remote.name} has no branch {branch}", hint="name one: --base BRANCH")
        git.run("update-ref", "--no-deref", "HEAD", commit, cwd=top)
        clone = Clone(git.find(top), remote, branch)
        with _told_as(f"{remote.name}@{branch}", clone.repo.top):
            yield clone


def _init(top: Path, borrow: git.Repo | None) -> None:
    form = borrow.object_format if borrow else "sha1"
    git.run("init", "--quiet", "--template=", f"--object-format={form}", "--", str(top))
    # What a shallow or a partial clone has is not the whole, which a fetch would take it for.
    if borrow and not borrow.shallow and not any(borrow.objects.glob("pack/*.promisor")):
        (top / ".git/objects/info").mkdir(exist_ok=True)
        (top / ".git/objects/info/alternates").write_bytes(os.fsencode(borrow.objects) + b"\n")


def _folder_name(name: str) -> str:
    """Return the last part of a repository's name, as a folder that lies where it is made."""
    return re.sub(r"[^\w.-]|^\.+(git)?$", "-", name.rsplit("/", 1)[-1]) or "-"


def _fetch(remote: Remote, top: Path, branch: str) -> str:
    """Fetch a branch and return its commit; "" where there is no such branch."""
    here = f"refs/remotes/origin/{branch}"
    spec = f"+{remote.refs}{branch}:{here}"
    asked = ("fetch", "--quiet", "--no-tags", "--update-shallow", "--", remote.url, spec)
    try:
        remote.read(*asked, cwd=top)
    except RemoteFailed as error:
        if NO_BRANCH in "\n".join(error.details):
            return ""
        raise
    return git.text("rev-parse", "--verify", here, cwd=top)


@contextmanager
def _told_as(name: str, top: Path) -> Iterator[None]:
    try:
        yield
    except InvalidInput as error:
        error.message = error.message.replace(str(top), name)
        raise


def _rejected(porcelain: str) -> str:
    """Return why the server did not take a branch, empty where it took it or was not heard."""
    lines = (line for line in porcelain.splitlines() if line.startswith("!"))
    return next((line for line in lines if "[remote failure]" not in line), "")


def _refusal(name: str, branch: str, said: tuple[str, ...]) -> Exception:
    words, where = "\n".join(said), f"{branch} of {name}"
    folders = list(accumulate(branch.split("/")[:-1], "{}/{}".format))
    if "exists; cannot create" in words or "directory file conflict" in words:
        return Refused(
            f"{where} cannot be made: a branch has the name of a folder in its name",
            hint=f"rename that branch: {', or '.join(folders)}",
            details=said,
        )
    if "stale info" in words or "cannot lock ref" in words:
        return Refused(
            f"somebody pushed to {where} in between: it was not overwritten",
            hint="run the command again",
        )
    if "workflow" in words and "refusing to allow" in words:
        return NotAllowed(
            "the token may not change workflow files, and this does",
            hint="a token with the scope `workflow` (or the permission Workflows: write); "
            "GitHub Actions' own token cannot have it",
            details=said,
        )
    return NotAllowed(
        f"the push to {where} was refused",
        hint=f"allow the account to push branches below {folders[-1] if folders else branch}/",
        details=said,
    )


def remote_of(repo: git.Repo) -> tuple[str, str]:
    """Return the name and the URL of the remote that a clone came from.

    A login in the URL is left out: it would be seen in the arguments of processes.

    Raises:
        InvalidInput: there is none, or several and none is `origin`.
    """
    names = repo.text("remote").split()
    if "origin" not in names and len(names) != 1:
        said = f"remotes {', '.join(names)}" if names else "no remote"
        raise InvalidInput(
            f"{repo.top} has {said}: where its forge is, is not known",
            hint="git remote add origin https://HOST/OWNER/NAME.git",
        )
    name = "origin" if "origin" in names else names[0]
    url = repo.text("remote", "get-url", name)
    parts = urlsplit(url)
    if parts.scheme in ("http", "https"):
        url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return name, url


def known_base(repo: git.Repo, remote: str, base: str) -> str:
    """Return the branch that a clone takes for its remote's default one; nobody else is asked.

    Raises:
        NotFound: the clone does not know.
    """
    refs = f"refs/remotes/{remote}/"
    if base:
        return base
    said = repo.run("symbolic-ref", "--quiet", f"{refs}HEAD", ok=(0, 1)).stdout.decode().strip()
    here = repo.run("symbolic-ref", "--quiet", "--short", "HEAD", ok=(0, 1)).stdout.decode().strip()
    if said:
        return said.removeprefix(refs)
    asked = ("rev-parse", "--verify", "--quiet", f"{refs}{here}")
    if here and repo.run(*asked, ok=(0, 1)).code == 0:
        return here
    raise NotFound(
        f"{repo.top} does not know the default branch of {remote}",
        hint=f"--base BRANCH, or `git remote set-head {remote} --auto`",
    )


def author_env(repo: git.Repo) -> dict[str, str]:
    """Return the environment that names the author whom a repository's own settings name."""
    done = repo.run("var", "GIT_AUTHOR_IDENT", ok=(0, 128))
    found = IDENTITY.fullmatch(done.stdout)
    if done.code or not found:
        return git.identity_env(repo.top)
    return {
        f"GIT_{role}_{part.upper()}": os.fsdecode(found[part])
        for role in ("AUTHOR", "COMMITTER")
        for part in ("name", "email")
    }
