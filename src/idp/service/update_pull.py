"""An update as a pull request: opened, brought up to date, left alone or closed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from idp import git, proc, road
from idp.errors import InvalidInput, NotAllowed, Refused, RemoteFailed
from idp.forge import scopes
from idp.forge.base import Forge, NotSupported, Proposal, PullRequest
from idp.plan import Effect, Plan
from idp.service import update_body, update_branch, update_mark
from idp.service.clone import HEADS, Clone
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
        return not self.tip or not update_branch.holds(self.clone, base, self.tip, self.tree)

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
    is_ours = not tip or update_branch.is_ours(clone, update.service.head, tip)
    pulls = sorted(
        forge.open_pull_requests(name, branch) if forge else (),
        key=lambda pull: pull.base != clone.branch,
    )
    pull = pulls[0] if pulls else None
    is_new = forge and not pull and update.status != "up-to-date"
    last = forge.last_pull_request(name, branch) if forge and is_new else None
    tree = clone.write_tree(update)
    return Standing(update, clone, forge, name, branch, tip, is_ours, pull, last, tree, who)


def carry_out(standing: Standing, ask: road.Ask) -> Outcome:
    """Push the branch, and open, change or close the pull request; or change nothing.

    Raises:
        Refused: somebody pushed in between.
        NotAllowed: the token may not, or the forge does not let us.
    """
    status, forge = standing.status, standing.forge
    if forge is None or not standing.changes:
        return Outcome(status, standing.tip, standing.pull or standing.declined)
    _check_allowed(standing, forge)

    def apply() -> Outcome:
        if status == "closed":
            return _close(standing, forge)
        commit = _pushed(standing) if standing.pushes else standing.tip
        return Outcome(status, commit, _propose(standing, forge, commit))

    def observe() -> Mapping[str, str]:
        tips = standing.clone.remote.tips(standing.clone.branch, standing.branch)
        return {f"{HEADS}{name}": tip for name, tip in tips.items()}

    return road.carry_out(standing.plan, apply, observe=observe, ask=ask)


def _check_allowed(standing: Standing, forge: Forge) -> None:
    lacking = set(scopes.missing(forge.kind, forge.account(), "pr"))
    if not _has_workflows(standing.update):
        lacking.discard("workflow")
    if lacking:
        raise NotAllowed(
            f"the token for {forge.host} lacks the scopes {', '.join(sorted(lacking))}",
            hint=f"idp auth login {forge.host}",
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
    _push(standing, commit)
    return commit


def _push(standing: Standing, commit: str) -> None:
    """Make a commit the tip of the branch, or delete the branch where it is ""."""
    remote, ref = standing.clone.remote, f"{HEADS}{standing.branch}"
    lease = f"--force-with-lease={ref}:{standing.tip}"
    asked = ("--porcelain", lease, "--", remote.url, f"{commit}:{ref}")
    try:
        with git.talking_to(remote.url):
            done = git.run("push", *asked, cwd=standing.clone.repo.top, env=remote.env, ok=(0, 1))
            rejected = _rejected(done.stdout.decode(errors="replace"))
            if done.code and not rejected:
                raise proc.CommandFailed(("git", "push"), done)
    except RemoteFailed:
        # The answer may have been lost after the work was done.
        if remote.tips(standing.branch)[standing.branch] != commit:
            raise
        return
    if rejected:
        said = (rejected, *done.stderr.decode(errors="replace").splitlines())
        raise _refusal(f"{standing.branch} of {standing.name}", said)


def _rejected(porcelain: str) -> str:
    """Return why the server did not take a branch, empty where it took it or was not heard."""
    lines = (line for line in porcelain.splitlines() if line.startswith("!"))
    return next((line for line in lines if "[remote failure]" not in line), "")


def _refusal(where: str, said: tuple[str, ...]) -> Exception:
    words = "\n".join(said)
    if "exists; cannot create" in words or "directory file conflict" in words:
        return Refused(
            f"{where} cannot be made: a branch has the name of a folder in its name",
            hint="rename that branch: idp, or idp/update",
            details=said,
        )
    if "stale info" in words or "cannot lock ref" in words:
        return Refused(
            f"somebody pushed to {where} in between: it was not overwritten",
            hint="run the command again",
        )
    if "workflow" in words and "refusing to allow" in words:
        return NotAllowed(
            "the token may not change workflow files, and this update does",
            hint="a token with the scope `workflow` (or the permission Workflows: write); "
            "GitHub Actions' own token cannot have it",
            details=said,
        )
    return NotAllowed(
        f"the push to {where} was refused",
        hint="allow the account to push branches below idp/update/",
        details=said,
    )


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
        _push(standing, "")
    if pull:
        forge.close_pull_request(standing.name, pull.number)
    return Outcome("closed", "", replace(pull, state="closed") if pull else None)


def _unmark(forge: Forge, name: str, pull: PullRequest) -> None:
    """Take our mark away, so that what idp closes is not taken for a person's decision."""
    body = update_mark.replaced(pull.body, NEEDLESS)
    if body != pull.body:
        forge.propose(name, Proposal(pull.branch, pull.base, pull.title, body, pull.draft))
