"""Asking for a secret, and writing its value once somebody else has approved it.

One command, run again and again: each run looks how far it has come and takes the next step.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from idp.clock import Clock
from idp.errors import IdpError, NotAllowed, NotFound, Refused
from idp.identity import Identity
from idp.plan import Plan
from idp.request.base import Asked, Desk, Request
from idp.request.handover import new_pair, opened
from idp.road import Road
from idp.secret.base import About, Backend, LostRace, Secret, path_of
from idp.secret.fulfil import new_value
from idp.secret.kept import Course, Keeping
from idp.secret.wanted import Wanted

if TYPE_CHECKING:
    from idp.secret.vault_kv import VaultKV


class Awaiting(Refused):
    """Somebody else has to do something first."""

    code = "awaiting_approval"
    retryable = True


class Taken(Refused):
    """Somebody else has opened what was for the requester alone."""

    code = "handover_taken"


@dataclass(frozen=True)
class Told:
    """What came of one run.

    Attributes:
        status: `planned` (a dry run), `there` already, `written`, or `revoked`.
        version: of the value; 0 where it is not known.
        request: the id of the request; empty where nobody had to approve.
        enforced: whether somebody else had to approve it.
    """

    status: Literal["planned", "there", "written", "revoked"]
    path: str
    place: str
    version: int = 0
    request: str = ""
    enforced: bool = True


@dataclass(frozen=True)
class Counter:
    """Where a requester stands: what idp needs to serve them.

    Attributes:
        pattern: of paths (`SecretSettings.path`).
        folder: where this machine keeps what is under way.
        value: asks for the value, without showing it.
    """

    backend: Backend
    pattern: str
    desk: Callable[[], Desk]
    who: Callable[[], Identity]
    road: Road
    folder: Path
    clock: Clock
    say: Callable[[str], None]
    value: Callable[[], str] = field(repr=False)


def ask(wanted: Wanted, counter: Counter, *, dry: bool = False) -> Told:
    """Take the next step towards what is wanted.

    Raises:
        Awaiting: it was asked for, and somebody else comes next.
        Taken: somebody else has opened the wrapped token.
        Refused: the request was refused, or has expired; or a policy denies it.
        NotFound, NotAllowed, LostRace, RemoteFailed: what the backend says.
    """
    backend = counter.backend
    path = path_of(counter.pattern, wanted.service, wanted.environment, wanted.name)
    backend.preflight(path)
    if backend.local or dry:
        told = _nothing_to_do(wanted, counter, path)
        return told or _at_once(wanted, counter, path, dry=dry)
    keeping = Keeping(counter.folder, backend.place, path, wanted.action)
    with keeping.alone():
        return _next_step(wanted, counter, keeping)


def _next_step(wanted: Wanted, counter: Counter, keeping: Keeping) -> Told:
    course, place = keeping.read(), counter.backend.place
    if course is None and (told := _nothing_to_do(wanted, counter, keeping.path)):
        return told
    request = _request(wanted, counter, keeping, course)
    if request.state != "fulfilled":
        raise _not_yet(request, keeping, counter)
    version = 0
    if not wanted.generate and wanted.action != "secret revoke":
        version = _written(wanted, counter, keeping, request)
    keeping.forget()
    is_gone = wanted.action == "secret revoke"
    return Told("revoked" if is_gone else "written", keeping.path, place, version, request.id)


def _nothing_to_do(wanted: Wanted, counter: Counter, path: str) -> Told | None:
    """Return what is told where all is so already; None where something has to be done.

    Raises:
        Refused: it cannot be done as it stands.
    """
    place = counter.backend.place
    try:
        now: Secret | None = counter.backend.show(path)
    except NotAllowed:  # whoever asks for a secret need not be allowed to look
        return None
    except NotFound:
        now = None
    if wanted.action == "secret revoke":
        return Told("revoked", path, place, enforced=False) if now is None else None
    if wanted.action == "secret rotate":
        if now is None or not now.version:
            raise NotFound(f"no secret {path} at {place} to rotate", hint="idp secret request")
        return None
    if now is None or now.state == "empty":
        return None
    if now.state == "deleted":
        raise Refused(
            f"{path} was deleted, and version {now.version} of it can be restored",
            hint="restore it (bao kv undelete), write another value (--rotate), or destroy it: "
            "idp secret revoke",
        )
    return Told("there", path, place, now.version, now.about.request)


def _at_once(wanted: Wanted, counter: Counter, path: str, *, dry: bool) -> Told:
    """Do it without a second person, where nothing is enforced; or only show what would be done."""
    backend, road = counter.backend, counter.road
    plan = wanted.plan(backend, counter.pattern, "")
    if dry:
        _rehearse(counter, plan)
        return Told("planned", path, backend.place, enforced=not backend.local)
    counter.say(f"{backend.place} is this machine's own: nobody approves, and nothing is enforced")
    gone = wanted.action == "secret revoke"
    value = "" if gone else new_value() if wanted.generate else counter.value()
    days = timedelta(days=wanted.days)

    def apply() -> int:
        if gone:
            backend.revoke(path)
            return 0
        about = About(
            wanted.service,
            wanted.environment,
            wanted.name,
            wanted.owner,
            asked_by=counter.who().id,
            why=wanted.why,
            expires_at=counter.clock.now() + days if wanted.days else None,
        )
        backend.prepare(path, about)
        return backend.write(path, {wanted.key: value}, backend.show(path).version)

    version = road.carry_out(plan, apply, observe=dict, proof=lambda done: f"version {done}")
    return Told("revoked" if gone else "written", path, backend.place, version, enforced=False)


def _rehearse(counter: Counter, plan: Plan) -> None:
    """Raise what a policy denies; that somebody has to approve it is known already."""
    try:
        counter.road.rehearse(plan)
    except Refused as error:
        if error.code != Awaiting.code:
            raise


def _request(wanted: Wanted, counter: Counter, keeping: Keeping, course: Course | None) -> Request:
    """Return the request, opened now if it is not yet."""
    desk = counter.desk()
    if course and course.request:
        return desk.get(course.request)
    if course is None:
        _check_alone(desk, wanted.action, keeping.path)
        needs_key = not wanted.generate and wanted.action != "secret revoke"
        pair = new_pair() if needs_key else None
        course = Course(pair.private, pair.public) if pair else Course()
    plan = wanted.plan(counter.backend, counter.pattern, course.public)
    _rehearse(counter, plan)
    course = keeping.write(course)
    request = desk.open(Asked(plan.canonical, plan.digest, wanted.why, counter.who()))
    keeping.write(replace(course, request=request.id))
    counter.say(f"asked for: {request.id} {request.url}".rstrip())
    return request


def _check_alone(desk: Desk, action: str, path: str) -> None:
    """Raise Refused where the same is asked for already, by somebody else or on another machine."""
    for other in desk.list():
        if (other.action, other.subject) == (action, path) and other.is_open:
            raise Refused(
                f"{other.requester} asks for {path} already, and not from here: {other.id}",
                hint=f"finish it where it was begun, or: idp request cancel {other.id}",
            )


def _not_yet(request: Request, keeping: Keeping, counter: Counter) -> IdpError:
    """Return what to raise where a request is not fulfilled; a void one is forgotten."""
    where = f" {request.url}" if request.url else ""
    if request.state == "pending":
        who = "a reviewer of the platform's repository" if request.url else "somebody else"
        return Awaiting(
            f"{request.id} awaits approval{where}",
            hint=f"{who}: idp request approve {request.id}; then run this again",
        )
    if request.state in ("approved", "failed"):
        why = f", which failed: {request.outcome}" if request.state == "failed" else ""
        return Awaiting(
            f"{request.id} is approved and awaits fulfilment{why}{where}",
            hint=_who_fulfils(request, counter.backend, keeping.path),
        )
    keeping.forget()
    said = next((one for one in request.decisions if one.verdict == "refused"), None)
    why = f" by {said.who}: {said.why}" if said else f" {request.outcome}".rstrip()
    return Refused(f"{request.id} is {request.state}{why}", hint="to ask again, run this again")


def _who_fulfils(request: Request, backend: Backend, path: str) -> str:
    if not request.local:
        return "the platform repository's CI fulfils it; then run this again"
    if backend.name == "vault":
        from idp.secret.vault_kv import VaultKV

        if isinstance(backend, VaultKV) and (lacking := backend.lacking(path)):
            return (
                f"somebody with the rights: idp request fulfil {request.id} "
                f"(you lack {', '.join(lacking)}); then run this again"
            )
    return f"idp request fulfil {request.id}; then run this again"


def _written(wanted: Wanted, counter: Counter, keeping: Keeping, request: Request) -> int:
    """Write the value and return its version."""
    backend, road = counter.backend, counter.road
    course = keeping.read() or Course()
    if not course.token:
        handed = json.loads(opened(request.handover, course.private, request.id))
        until = datetime.fromisoformat(handed["until"])
        course = replace(course, expect=int(handed["expect"]))
        if handed["token"]:
            course = _open(counter, keeping, course, handed["token"], until)
    value = counter.value()
    inputs = {"backend": backend.name, "place": backend.place, "request": request.id}
    facts = wanted.plan(backend, counter.pattern, "").facts
    plan = Plan("secret write", keeping.path, inputs, result=str(course.expect + 1), facts=facts)

    def apply() -> int:
        keeping.write(replace(course, sent=True))
        values = {wanted.key: value}
        if course.token:
            return _write_once(counter, keeping, course, values)
        return backend.write(keeping.path, values, course.expect)

    return road.carry_out(plan, apply, observe=dict, proof=lambda done: f"version {done}")


def _open(
    counter: Counter, keeping: Keeping, course: Course, wrapped: str, until: datetime
) -> Course:
    """Open the wrapped token, which can be done once, and keep what is in it."""
    from idp.vault import Opened

    vault = _vault(counter.backend)
    had_begun = course.opening
    course = keeping.write(replace(course, opening=True))
    try:
        token = vault.open_writer(wrapped)
    except Opened as error:
        keeping.forget()
        if counter.clock.now() >= until:
            raise Refused(
                f"the time to write {keeping.path} ended at {until:%Y-%m-%d %H:%M} UTC",
                hint="nothing was written; run this again to ask anew",
            ) from error
        raise _taken(keeping.path, had_begun=had_begun) from error
    return keeping.write(replace(course, token=token))


def _taken(path: str, *, had_begun: bool) -> Taken:
    maybe = " (or an earlier run of yours was killed just while it opened it)" if had_begun else ""
    return Taken(
        f"SOMEBODY ELSE HAS OPENED the wrapped token that was for you alone{maybe}: they can write "
        f"{path}, and any value that appears there may be theirs",
        hint="tell whoever runs Vault; then idp secret revoke, and ask again",
    )


def _write_once(counter: Counter, keeping: Keeping, course: Course, values: dict[str, str]) -> int:
    """Write with the token of few uses, or find that an earlier run of ours has."""
    vault = _vault(counter.backend)
    try:
        return vault.write_by(course.token, keeping.path, values, course.expect)
    except LostRace:
        if course.sent:
            counter.say("an earlier run wrote the value; this one is not written")
            return course.expect + 1
        keeping.forget()
        raise
    except NotAllowed as error:
        keeping.forget()
        looks = "; an earlier run may have written it: idp secret show" if course.sent else ""
        raise Refused(
            f"the token to write {keeping.path} is used up, or expired before the value was "
            f"written{looks}",
            hint="run this again to ask anew",
        ) from error


def _vault(backend: Backend) -> VaultKV:
    from idp.secret.vault_kv import VaultKV

    if not isinstance(backend, VaultKV):
        raise Refused(f"a wrapped token was handed over, and {backend.place} is no Vault")
    return backend
