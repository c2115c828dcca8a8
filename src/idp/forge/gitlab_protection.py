"""How a branch is protected on GitLab, and what its plans leave out."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from idp.forge.base import NotSupported, Protection
from idp.forge.shapes import Answer
from idp.rest import Reply, Server

NOBODY = 0
DEVELOPERS = 30
NAMED = ("user_id", "group_id", "deploy_key_id")
NOT_HERE = (403, 404, 405)
"""How a plan without approvals answers to those who may do all else."""


def protect(server: Server, project: str, branch: str, protection: Protection) -> None:
    """Protect a branch of the project at a path, then tell what could not be required.

    Raises:
        NotSupported: approvals were asked for that this plan cannot require; the rest is done.
    """
    asks = bool(protection.reviews or protection.code_owners or protection.checks)
    rule = _branch(server, project, branch, _rule(branch, asks, protection.code_owners))
    if protection.checks:
        # GitLab knows no required job: all of the pipeline must pass.
        server.send("PUT", project, {"only_allow_merge_if_pipeline_succeeds": True})
    lacking = []
    if protection.reviews and not _approvals(server, project, protection.reviews):
        lacking.append("approvals before a merge")
    if protection.code_owners and not rule.get("code_owner_approval_required"):
        lacking.append("the approval of a code owner")
    if lacking:
        raise NotSupported(
            f"{server.host} cannot require {' or '.join(lacking)} on this plan: {branch} is "
            "protected without",
            hint="GitLab Premium has it; else ask for less in idp-platform.yaml: "
            "forge: {protection: {reviews: 0, code_owners: false}}",
        )


def _rule(branch: str, asks: bool, code_owners: bool) -> dict[str, Any]:
    rule = {
        "name": branch,
        "push_access_level": NOBODY if asks else DEVELOPERS,
        "merge_access_level": DEVELOPERS,
        "allow_force_push": False,
    }
    return rule | ({"code_owner_approval_required": True} if code_owners else {})


def _branch(server: Server, project: str, branch: str, rule: dict[str, Any]) -> Answer:
    """Return the branch's protection, made anew where who may push or merge is another.

    Only Premium could change that in place; and each new project comes with a protection.
    """
    rules = f"{project}/protected_branches"
    path = f"{rules}/{quote(branch, safe='')}"

    def there() -> Reply | None:
        reply = server.get(path, ok=(404,))
        return reply if reply.status == 200 else None

    before = there()
    if before and _levels(before.data) == (rule["push_access_level"], rule["merge_access_level"]):
        names = ("allow_force_push", "code_owner_approval_required")
        changes = {name: rule.get(name, False) for name in names}
        if all(bool(before.data.get(name)) == value for name, value in changes.items()):
            return dict(before.data)
        return dict(server.send("PATCH", path, changes).data)
    if before:
        server.send("DELETE", path, ok=(404,))
    return dict(server.send("POST", rules, rule, unless=there).data)


def _levels(rule: Answer) -> tuple[int, ...]:
    """Return who may push and who may merge, where it is one level each and nobody by name."""
    found: list[int] = []
    for name in ("push_access_levels", "merge_access_levels"):
        levels: list[Answer] = rule.get(name) or []
        named = [each for each in levels for who in NAMED if each.get(who)]
        found += [each["access_level"] for each in levels if len(levels) == 1 and not named]
    return tuple(found)


def _approvals(server: Server, project: str, count: int) -> bool:
    """Require approvals by whomever, and tell whether that is so now."""
    path = f"{project}/approval_rules"

    def there() -> Reply | None:
        rules = server.get(path, {"per_page": 100}, ok=NOT_HERE)
        found = rules.data if rules.status == 200 else ()
        mine = next((rule for rule in found if rule["rule_type"] == "any_approver"), None)
        return Reply(200, mine) if mine else None

    before = there()
    if before and before.data["approvals_required"] == count:
        return True
    body = {"name": "All Members", "approvals_required": count}
    if before:
        reply = server.send("PUT", f"{path}/{before.data['id']}", body, ok=NOT_HERE)
    else:
        new = {**body, "rule_type": "any_approver"}
        reply = server.send("POST", path, new, ok=NOT_HERE, unless=there)
    return reply.status < 300 and bool(reply.data["approvals_required"] == count)
