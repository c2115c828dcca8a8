"""Registering a service by a pull request to the platform's repository."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from idp import git
from idp.clone import HEADS, Clone, author_env
from idp.errors import InvalidInput, NotFound
from idp.forge import scopes
from idp.forge.base import Forge, Proposal, PullRequest
from idp.plan import Effect, Plan
from idp.register.insertion import Edit
from idp.register.service import Service
from idp.road import Road

Status = Literal["opened", "updated", "unchanged", "left-alone"]

TRAILER = "Idp-Register-Tree"
_MARK = re.compile(r"<!-- idp-catalog-register: ([0-9a-f]{64}) -->")


@dataclass(frozen=True)
class Outcome:
    """What came of it; `commit` is the tip of the branch, where there is one."""

    status: Status
    commit: str
    pull_request: PullRequest | None


@dataclass(frozen=True)
class Standing:
    """How the branch and the pull request of a service stand, and what is to become of them.

    Attributes:
        forge: None in a dry run, which asks nobody but git.
        file: the platform file's path in its repository.
        head: the commit at the tip of the base.
        tip: the commit at the tip of the branch, "" where there is no such branch.
        pull: the open pull request.
        last: the newest one, looked for where none is open.
        tree: what the change comes to.
        who: the environment that names the author of commits.
    """

    service: Service
    edit: Edit
    file: str
    clone: Clone
    forge: Forge | None
    head: str
    tip: str
    is_ours: bool
    pull: PullRequest | None
    last: PullRequest | None
    tree: str
    who: Mapping[str, str]

    @property
    def status(self) -> Status:
        """What it comes to."""
        if not self.is_ours or self.declined:
            return "left-alone"
        if self.pull is None and (self.forge or not self.tip):
            return "opened"
        return "updated" if self.pushes or self._tells else "unchanged"

    @property
    def changes(self) -> bool:
        """Whether anything is to be changed."""
        return self.forge is not None and self.status in ("opened", "updated")

    @cached_property
    def pushes(self) -> bool:
        """Whether the branch has to change."""
        return not self.tip or not self.clone.holds(self.head, self.tip, self.tree)

    @property
    def _tells(self) -> bool:
        """Whether the pull request has to change: by what we wrote, not by what others edit."""
        return self.pull is not None and _MARK.findall(self.pull.body)[-1:] != [self._digest]

    @property
    def declined(self) -> PullRequest | None:
        """The pull request that a person closed."""
        last = self.last
        return last if last and last.state == "closed" and _MARK.search(last.body) else None

    @property
    def title(self) -> str:
        """What the pull request and its commit are called."""
        return title(self.service)

    @property
    def text(self) -> str:
        """The pull request's text, without our mark."""
        entities = "\n".join(f"- `{ref}`" for ref in self.service.entities)
        return (
            f"Adds a source to the catalog, in `{self.file}`:\n\n```\n{self.edit.source}\n```\n\n"
            f"Its entities:\n\n{entities}\n\n"
            "Once it is merged, the next `idp catalog ingest` reads them. To decline, close it: "
            "`idp catalog register` then leaves it alone."
        )

    @property
    def _digest(self) -> str:
        parts = (self.title, self.clone.branch, self.text)
        return hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()

    @property
    def proposal(self) -> Proposal:
        """What the pull request shall be; a draft stays one."""
        body = f"{self.text}\n\n<!-- idp-catalog-register: {self._digest} -->\n"
        draft = self.pull.draft if self.pull else False
        return Proposal(self.service.branch, self.clone.branch, self.title, body, draft)

    @property
    def plan(self) -> Plan:
        """The plan of it."""
        branch = f"{self.clone.remote.name}:{self.service.branch}"
        pull = self.pull.url if self.pull else f"pull request of {branch}"
        pushed = [Effect("pushed", branch)] if self.pushes else []
        return Plan(
            "catalog register",
            self.edit.source,
            inputs={"source": self.edit.source, "platform": self.clone.remote.name},
            preconditions=self.seen,
            effects=(*pushed, Effect(self.status, pull)),
            result=self.tree,
            risk="remote",
        )

    @property
    def seen(self) -> Mapping[str, str]:
        """The tips of both branches, as they were when the change was worked out."""
        tips = {self.clone.branch: self.head, self.service.branch: self.tip}
        return {f"{HEADS}{name}": tip for name, tip in tips.items()}


def title(service: Service) -> str:
    """Return what a service's registration is called."""
    return f"chore: register {service.name} in the catalog"


def read(clone: Clone, file: str) -> bytes:
    """Return the platform file as the tip of the base has it.

    Raises:
        NotFound: it is not there.
    """
    done = clone.repo.run("cat-file", "blob", f"HEAD:{file}", ok=(0, 128))
    if done.code:
        raise NotFound(f"no platform file {file} in {clone.remote.name}@{clone.branch}")
    return done.stdout


def look(service: Service, edit: Edit, file: str, clone: Clone, forge: Forge | None) -> Standing:
    """Find out how a service's branch and pull request stand; nothing is changed.

    Raises:
        InvalidInput: the base is the service's branch itself.
    """
    branch, repo, name = service.branch, clone.repo, clone.remote.name
    if branch == clone.branch:
        raise InvalidInput(f"{branch} is idp's own branch, and no base", hint="see --platform")
    head, tip = repo.head(), clone.fetch(branch)
    is_ours = not tip or clone.is_ours(head, tip, TRAILER)
    pulls = sorted(
        forge.open_pull_requests(name, branch) if forge else (),
        key=lambda pull: pull.base != clone.branch,
    )
    pull = pulls[0] if pulls else None
    last = forge.last_pull_request(name, branch) if forge and not pull else None
    tree = _tree(clone, head, file, edit.after)
    who = author_env(service.repo)
    return Standing(service, edit, file, clone, forge, head, tip, is_ours, pull, last, tree, who)


def _tree(clone: Clone, head: str, file: str, content: bytes) -> str:
    """Write the tree of a commit with another platform file; its mode stays."""
    repo = clone.repo
    entry = git.tree_of(repo.run("ls-tree", "-z", head, "--", file).stdout)[file]
    asked = ("hash-object", "-w", "--no-filters", "--stdin")
    oid = repo.run(*asked, stdin=content).stdout.decode().strip()
    new = {0: git.Entry(entry.mode, oid)}
    return clone.write_tree(head, git.index_lines(file, new, repo.nothing))


def carry_out(standing: Standing, road: Road) -> Outcome:
    """Push the branch, and open the pull request or bring it up to date; or change nothing.

    Raises:
        Refused: somebody pushed in between.
        NotAllowed: the token may not, or the forge does not let us.
    """
    status, forge, service = standing.status, standing.forge, standing.service
    if forge is None or not standing.changes:
        return Outcome(status, standing.tip, standing.pull or standing.declined)
    scopes.require(forge, "pr", "workflow")
    clone = standing.clone

    def apply() -> Outcome:
        commit = _pushed(standing) if standing.pushes else standing.tip
        return Outcome(status, commit, forge.propose(clone.remote.name, standing.proposal))

    def observe() -> Mapping[str, str]:
        tips = clone.remote.tips(clone.branch, service.branch)
        return {f"{HEADS}{name}": tip for name, tip in tips.items()}

    return road.carry_out(
        standing.plan, apply, observe=observe, proof=lambda outcome: outcome.commit
    )


def _pushed(standing: Standing) -> str:
    """Push our commit; a branch that has moved since we looked is not overwritten."""
    clone, tree = standing.clone, standing.tree
    message = f"{standing.title}\n\n{TRAILER}: {tree}\n"
    commit = clone.write_commit(tree, standing.head, message, standing.who)
    clone.push(standing.service.branch, standing.tip, commit)
    return commit
