"""A service that is in its place, and whose publishing is to be finished."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from idp import git
from idp.errors import InvalidInput, Refused
from idp.forge.address import parse_remote
from idp.plan import Plan
from idp.service import answers
from idp.service.publish import ABSENT, BRANCH, EMPTY, Target

SUBJECT = "feat: create {name} from "
"""How the message of a service's first commit begins."""


@dataclass(frozen=True)
class Begun:
    """A service that idp made.

    Attributes:
        first: its first commit; head: the tip of its main.
        files: what the first commit holds.
    """

    name: str
    target: Target
    service: answers.Service
    first: str
    head: str
    files: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Its folder."""
        return self.service.folder

    def plan(self) -> Plan:
        """Return the plan of publishing it."""
        return Plan(
            "create-service",
            str(self.folder),
            inputs={"template": self.service.answers.template, "commit": self.first},
            preconditions={BRANCH: self.head, "repository": self.target.found},
            effects=tuple(self.target.effects()),
            result=self.head,
            risk="remote",
        )


def begun(name: str, dest: Path, target: Target) -> Begun:
    """Return the service of this name at `dest`, whose remote is the target.

    Raises:
        Refused: there is something else, or the target holds another's commits.
    """
    first, repo = _first(name, dest)
    _check_remote(repo, dest, target)
    _check_ours(repo, first, target)
    listed = repo.text("ls-tree", "-r", "-z", "--name-only", first)
    return Begun(
        name,
        target,
        answers.find(repo, ""),
        first,
        tip(repo),
        tuple(sorted(filter(None, listed.split("\0")))),
    )


def tip(repo: git.Repo) -> str:
    """Return the commit of a repository's main; empty where it has none."""
    done = repo.run("rev-parse", "--verify", "--quiet", f"refs/heads/{BRANCH}", ok=(0, 1))
    return done.stdout.decode().strip()


def _first(name: str, dest: Path) -> tuple[str, git.Repo]:
    """Return the first commit of the service that idp made, and its repository."""
    taken = Refused(f"{dest} is there already", hint="choose another folder with --dest DIR")
    try:
        repo, prefix = answers.locate(dest)
    except InvalidInput as error:
        raise taken from error
    if prefix or not tip(repo):
        raise taken
    roots = repo.text("rev-list", "--max-parents=0", f"refs/heads/{BRANCH}").split()
    subject = repo.text("show", "--no-patch", "--format=%s", roots[0])
    if len(roots) > 1 or not subject.startswith(SUBJECT.format(name=name)):
        raise taken
    return roots[0], repo


def _check_remote(repo: git.Repo, dest: Path, target: Target) -> None:
    url = repo.run("config", "--get", "remote.origin.url", ok=(0, 1)).stdout.decode().strip()
    add = f"git -C {dest} remote add origin {target.git_url}" if target.url else ""
    if not url:
        raise Refused(f"{dest} is there already, and has no remote", hint=add)
    there = parse_remote(url)
    same_host = there.host.split(":")[0] == target.host.split(":")[0]
    # In a dry run nobody has asked whose account it will be.
    name = there.name if "/" in target.full_name else there.name.rpartition("/")[2]
    if not same_host or name.lower() != target.full_name.lower():
        raise Refused(
            f"{dest} is there already, and its remote is {there.name} at {there.host}",
            hint=f"to publish it there: --repo {there.name}",
        )


def _check_ours(repo: git.Repo, first: str, target: Target) -> None:
    """Raise Refused where the target's main does not go back to our first commit."""
    if target.found in ("", ABSENT, EMPTY):
        return
    if repo.run("cat-file", "-e", f"{target.found}^{{commit}}", ok=(0, 1, 128)).code:
        raise Refused(
            f"{target.url} has commits that {repo.top} has not",
            hint=f"if they are yours: git -C {repo.top} pull, and run it again",
        )
    if repo.run("merge-base", "--is-ancestor", first, target.found, ok=(0, 1)).code:
        raise Refused(
            f"{target.url} is there already, and is not what {repo.top} is",
            hint="another: --repo OWNER/NAME",
        )
