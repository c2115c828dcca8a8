"""What somebody wants done with a secret, as a plan that can be made again from a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from idp.errors import Refused
from idp.plan import Effect, Facts, Plan
from idp.request.base import HANDOVER_KEY, Request
from idp.secret.base import KEY, Backend, path_of

Action = Literal["secret create", "secret rotate", "secret revoke"]


@dataclass(frozen=True)
class Wanted:
    """What is wanted.

    Attributes:
        generate: whoever fulfils it has idp make the value, which nobody sees.
        key: the name of the value in the secret.
        days: after which it has to be rotated; 0 is never.
    """

    action: Action
    name: str
    service: str
    environment: str
    owner: str = ""
    why: str = ""
    generate: bool = False
    key: str = KEY
    days: int = 0

    def plan(self, backend: Backend, pattern: str, handover_key: str) -> Plan:
        """Return it as a plan; `pattern` tells the path (`SecretSettings.path`)."""
        path = path_of(pattern, self.service, self.environment, self.name)
        inputs = {
            "backend": backend.name,
            "place": backend.place,
            "path": path,
            "name": self.name,
            "service": self.service,
            "environment": self.environment,
            "owner": self.owner,
            "why": self.why,
            "generate": "yes" if self.generate else "",
            "key": self.key,
            "days": str(self.days) if self.days else "",
            HANDOVER_KEY: handover_key,
        }
        is_end = self.action == "secret revoke"
        return Plan(
            self.action,
            path,
            inputs={key: text for key, text in inputs.items() if text},
            effects=(Effect(_EFFECTS[self.action], f"{backend.place}/{path}"),),
            risk="destroys" if is_end else "local" if backend.local else "remote",
            facts=Facts(service=self.service, owner=self.owner, why=self.why),
        )


_EFFECTS = {"secret create": "added", "secret rotate": "updated", "secret revoke": "deleted"}


def remade(request: Request, backend: Backend, pattern: str) -> tuple[Wanted, Plan]:
    """Return what a request wants, and its plan made anew for this backend.

    Raises:
        Refused: that is another plan than was approved: for another place, or a path that the
            platform gives to another secret.
    """
    inputs: dict[str, Any] = dict(request.plan.get("inputs", {}))
    if request.action not in _EFFECTS:
        raise Refused(f"{request.id} is no request for a secret, but for {request.action}")
    wanted = Wanted(
        request.action,  # type: ignore[arg-type]  # one of _EFFECTS
        str(inputs.get("name", "")),
        str(inputs.get("service", "")),
        str(inputs.get("environment", "")),
        str(inputs.get("owner", "")),
        str(inputs.get("why", "")),
        generate=inputs.get("generate") == "yes",
        key=str(inputs.get("key", KEY)),
        days=int(inputs.get("days", 0)),
    )
    plan = wanted.plan(backend, pattern, str(inputs.get(HANDOVER_KEY, "")))
    if plan.digest != request.digest:
        raise Refused(
            f"{request.id} was made for {inputs.get('path')} at {inputs.get('place')}; here it is "
            f"{plan.subject} at {backend.place}",
            hint="secrets in the platform file differ, or idp's versions do: ask for it again",
        )
    return wanted, plan
