"""An update as a pull request: opened, brought up to date, left alone or closed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from idp.clone import HEADS, Clone
from idp.errors import InvalidInput
from idp.forge import scopes
from idp.forge.base import Forge, NotSupported, Proposal, PullRequest
from idp.plan import Effect, Plan
from idp.road import Road
from idp.service import update_body, update_branch, update_mark
from idp.service.proposal import Update
from idp.service.update_mark import Mark

Status = Literal["opened", "updated", "unchanged", "left-alone", "up-to-date", "closed"]

WORKFLOWS = ".github/workflows/"
NEEDLESS = "*Closed by `idp update-service`: nothing is left of this update.*"


@dataclass(frozen=True)
class Outcome:
    """What came of it; `commit` is the tip of the branch, where there is one."""

    status: Status
    commit: str
    pull_request: PullRequest | None


@dataclass(frozen=True)
class Standing:
    """How an update's branch and pull request stand, and what is to become of them.

    Attributes:
        forge: None in a dry run, which asks nobody.
        name: the repository's full name on its forge.
        tip: the commit at the tip of the branch, "" where there is no such branch.
        pull: the open pull request.
        last: the newest one, looked for where none is open and the update is needed.
        tree: what the update comes to.
        who: the environment that names the author of commits.
    """

    update: Update
    clone: Clone
    forge: Forge | None
    name: str
    branch: str
    tip: str
    is_ours: bool
    pull: PullRequest | None
    last: PullRequest | None
    tree: str
    who: Mapping[str, str]

    @property
    def status(self) -> Status:
        """What it comes to."""
        if not self.is_ours and (self.pull or self._is_needed):
            return "left-alone"
        if not self._is_needed:
            return "closed" if self.pull else "up-to-date"
        if self.declined:
            return "left-alone"
        if self.pull is None and (self.forge or not self.tip):
            return "opened"
        return "updated" if self.pushes or self._tells else "unchanged"

    @property
    def changes(self) -> bool:
        """Whether anything is to be changed."""
        return self.forge is not None and self.status in ("opened", "updated", "closed")

    @property
    def _is_needed(self) -> bool:
        return self.update.status != "up-to-date"

    @cached_property
    def pushes(self) -> bool:
        """Whether the branch has to change."""
        base = self.update.service.head
        return not self.tip or not self.clone.holds(base, self.tip, self.tree)

    @property
    def _tells(self) -> bool:
        """Whether the pull request has to change: by what we wrote, not by what others edit."""
        return self.pull is not None and self._former != self._mark(self.tip)

    @property
    def _former(self) -> Mark | None:
        return update_mark.find(self.pull.body) if self.pull else None

    @property
    def declined(self) -> PullRequest | None:
        """The pull request of this very update that a person closed.

        One that a person had worked on is none once its branch is deleted: that gave it back.
        """
        last = self.last
        mark = update_mark.find(last.body) if last and last.state == "closed" else None
        if not last or not mark or not self.is_ours or mark.update != self._mark("").update:
            return None
        is_given_back = not self.tip and last.head not in ("", mark.commit)
        return None if is_given_back else last

    @cached_property
    def text(self) -> str:
        """The pull request's text, without our mark."""
        return update_body.body(update_body.story_of(self.update, self.branch))

    def _mark(self, commit: str) -> Mark:
        base, update = self.clone.branch, self.update
        answers = update.merged.tree.get(update.service.answers_file)
        brought = (base, update.new.template, update.new.commit, answers.oid if answers else "")
        told = _digest(update.title, base, self.text)
        return Mark(told, _digest(*brought), bool(update.merged.conflicts), commit)

    def proposal(self, commit: str) -> Proposal:
        """Return what the pull request shall be; a draft is one while there are conflicts.

        Where conflicts have neither come nor gone, it stays as people have made it.

        Args:
            commit: the tip of the branch.
        """
        mark, former = self._mark(commit), self._former
        draft = mark.draft
        if self.pull and former and former.draft == draft:
            draft = self.pull.draft
        text = f"{self.text}\n\n{mark}\n"
        return Proposal(self.branch, self.clone.branch, self.update.title, text, draft)

    @property
    def plan(self) -> Plan:
        """The plan of it."""
        new, branch = self.update.new, f"{self.name}:{self.branch}"
        pull = self.pull.url if self.pull else f"pull request of {branch}"
        effects = [Effect("pushed", branch)] if self.pushes else []
        if self.status == "closed":
            effects = [Effect("deleted", branch)]
        return Plan(
            "update-service --pr",
            self.name,
            inputs={
                "template": new.template,
                "from": self.update.old.version,
                "to": new.version,
                "commit": new.commit,
            },
            preconditions=self.seen,
            effects=(*effects, Effect(self.status, pull)),
            result=self.tree,
            risk="remote",
        )

    @property
    def seen(self) -> Mapping[str, str]:
        """The tips of both branches, as they were when the update was worked out."""
        tips = {self.clone.branch: self.update.service.head, self.branch: self.tip}
        return {f"{HEADS}{name}": tip for name, tip in tips.items()}


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()


def look(
    update: Update, clone: Clone, forge: Forge | None, name: str, who: Mapping[str, str]
) -> Standing:
    """Find out how an update's branch and pull request stand; nothing is changed.

    Raises:
        InvalidInput: the base is the update's branch itself.
    """
    branch = update_branch.name_of(update)
    if branch == clone.branch:
        raise InvalidInput(f"{branch} is idp's own branch, and no base", hint="see --base")
    tip = clone.fetch(branch)
    is_ours = not tip or clone.is_ours(update.service.head, tip, update_branch.TRAILER)
    pulls = sorted(
        forge.open_pull_requests(name, branch) if forge else (),
        key=lambda pull: pull.base != clone.branch,
    )
    pull = pulls[0] if pulls else None
    is_new = forge and not pull and update.status != "up-to-date"
    last = forge.last_pull_request(name, branch) if forge and is_new else None
    tree = update_branch.write_tree(clone, update)
    return Standing(update, clone, forge, name, branch, tip, is_ours, pull, last, tree, who)


def carry_out(standing: Standing, road: Road) -> Outcome:
    """Push the branch, and open, change or close the pull request; or change nothing.

    Raises:
        Refused: somebody pushed in between.
        NotAllowed: the token may not, or the forge does not let us.
    """
    status, forge = standing.status, standing.forge
    if forge is None or not standing.changes:
        return Outcome(status, standing.tip, standing.pull or standing.declined)
    needless = () if _has_workflows(standing.update) else ("workflow",)
    scopes.require(forge, "pr", *needless)

    def apply() -> Outcome:
        if status == "closed":
            return _close(standing, forge)
        commit = _pushed(standing) if standing.pushes else standing.tip
        return Outcome(status, commit, _propose(standing, forge, commit))

    def observe() -> Mapping[str, str]:
        tips = standing.clone.remote.tips(standing.clone.branch, standing.branch)
        return {f"{HEADS}{name}": tip for name, tip in tips.items()}

    return road.carry_out(
        standing.plan, apply, observe=observe, proof=lambda outcome: outcome.commit
    )


def _has_workflows(update: Update) -> bool:
    """Tell whether files change that GitHub asks a scope of its own for."""
    paths = (path for file in update.files for path in (file.path, file.was))
    return any(f"{update.service.prefix}{path}".startswith(WORKFLOWS) for path in paths)


def _pushed(standing: Standing) -> str:
    """Push our commit; a branch that has moved since we looked is not overwritten."""
    parent, words = standing.update.service.head, standing.update.title
    text = update_branch.message(words, standing.tree)
    commit = standing.clone.write_commit(standing.tree, parent, text, standing.who)
    standing.clone.push(standing.branch, standing.tip, commit)
    return commit


def _propose(standing: Standing, forge: Forge, commit: str) -> PullRequest:
    wanted, pull = standing.proposal(commit), standing.pull
    if pull and pull.draft != wanted.draft:
        # Our mark says that all is done, so it comes last.
        _propose_as(forge, standing.name, replace(wanted, title=pull.title, body=pull.body))
    return _propose_as(forge, standing.name, wanted)


def _propose_as(forge: Forge, name: str, wanted: Proposal) -> PullRequest:
    try:
        return forge.propose(name, wanted)
    except NotSupported:
        if not wanted.draft:
            raise
        return forge.propose(name, replace(wanted, draft=False))


def _close(standing: Standing, forge: Forge) -> Outcome:
    """Delete the branch, which is ours, and close its pull request: nothing is left of either.

    The pull request comes last: while it is open, the next run finishes what was cut short.
    """
    pull = standing.pull
    if pull:
        _unmark(forge, standing.name, pull)
    if standing.tip:
        standing.clone.push(standing.branch, standing.tip, "")
    if pull:
        forge.close_pull_request(standing.name, pull.number)
    return Outcome("closed", "", replace(pull, state="closed") if pull else None)


def _unmark(forge: Forge, name: str, pull: PullRequest) -> None:
    """Take our mark away, so that what idp closes is not taken for a person's decision."""
    body = update_mark.replaced(pull.body, NEEDLESS)
    if body != pull.body:
        forge.propose(name, Proposal(pull.branch, pull.base, pull.title, body, pull.draft))
