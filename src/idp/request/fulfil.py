"""Carrying out what was approved, by whoever has the rights to: the platform's own CI."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

from idp.config.guardrails import RequestSettings
from idp.errors import IdpError, Interrupted, InvalidInput, Refused
from idp.identity import Identity
from idp.request.base import Desk, Fulfilment, Request

Carrier = Callable[[Request], Fulfilment]
"""Re-makes a request's plan, checks its digest, and carries it out by the road; doing so again
finishes what was cut short. Its errors, and what it returns, never hold a secret's value."""


def fulfil(desk: Desk, id: str, carriers: Mapping[str, Carrier], who: Identity) -> Request:
    """Carry out an approved request, and record what came of it; again finishes it.

    Args:
        carriers: by the action of their plans.

    Raises:
        Refused: it is not approved.
        InvalidInput: nobody carries out what it asks for.
        IdpError: what kept it from being carried out, which is recorded too.
    """
    request = desk.get(id)
    if request.state == "fulfilled":
        return request
    if request.state not in ("approved", "failed"):
        told = f": {request.outcome}" if request.outcome else ""
        raise Refused(
            f"{request.id} is {request.state}, and not approved{told}",
            hint=f"idp request show {request.id}",
        )
    carrier = carriers.get(request.action)
    if carrier is None:
        raise InvalidInput(
            f"{request.id} asks for `{request.action}`, which is carried out by who asked",
            hint="they run the same command again: it is approved",
        )
    try:
        done = carrier(request)
    except Interrupted:
        raise
    except IdpError as error:
        # It stays as it was where even that cannot be recorded: what was wrong matters more.
        with suppress(IdpError):
            desk.close(request.id, Fulfilment("failed", error.message), who)
        raise
    return desk.close(request.id, done, who)


def waiting(desk: Desk, carriers: Mapping[str, Carrier]) -> tuple[Request, ...]:
    """Return the approved requests that somebody carries out here, the oldest first."""
    found = [
        one for one in desk.list() if one.state in ("approved", "failed") and one.action in carriers
    ]
    return tuple(reversed(found))


def check_place(environ: Mapping[str, str], settings: RequestSettings) -> None:
    """Refuse to carry out requests in a CI's run of anything but the protected branch.

    Raises:
        Refused: another branch, another repository, or a branch that is not protected.
    """
    if environ.get("GITHUB_ACTIONS") == "true" or environ.get("GITEA_ACTIONS") == "true":
        ref, repository = environ.get("GITHUB_REF", ""), environ.get("GITHUB_REPOSITORY", "")
        branch = ref.removeprefix("refs/heads/") if ref.startswith("refs/heads/") else ""
        is_open = environ.get("GITHUB_REF_PROTECTED") == "false"
    elif environ.get("GITLAB_CI") == "true":
        repository = environ.get("CI_PROJECT_PATH", "")
        branch = environ.get("CI_COMMIT_BRANCH", "")
        is_open = environ.get("CI_COMMIT_REF_PROTECTED") == "false"
    else:
        return
    where = f"{settings.branch} of {settings.repository or 'its repository'}"
    if branch != settings.branch or repository.lower() not in (settings.repository.lower(),):
        raise Refused(
            f"requests are carried out on {where}, and this runs on {branch or 'no branch'} of "
            f"{repository}",
            hint="on: push: branches: [main], in the platform's repository",
        )
    if is_open:
        raise Refused(
            f"{where} is not protected: whoever may push there could have changed this job",
            hint=f"protect it: at least one review, no direct pushes to {settings.branch}",
        )
