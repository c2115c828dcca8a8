"""A plan: what a command is about to change, as frozen data with a digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Literal

Risk = Literal["local", "remote", "destroys"]


@dataclass(frozen=True)
class Effect:
    """One thing that will be so once the plan is carried out.

    Attributes:
        what: added, updated, merged, deleted, renamed, kept, conflict, pushed …
        on: a path, a reference or a URL.
    """

    what: str
    on: str


@dataclass(frozen=True)
class Use:
    """What a plan will use for as long as it stands, by an entry of the rate card.

    Attributes:
        rate: `cpu_hour`, `gb_hour`, `gb_month`, or a flat resource of the card.
        quantity: CPUs, gigabytes, or how many of the flat resource.
        hours: hours a month that it runs; 730 is always (ignored for months and flat resources).
    """

    name: str
    rate: str
    quantity: Decimal
    hours: Decimal = Decimal(730)


@dataclass(frozen=True)
class Facts:
    """What policies, budgets and the audit trail ask of a plan; empty is not known or none.

    Attributes:
        service: the service's name or its entity ref.
        owner: the team that owns it.
        environment: where it will run: a plan with one makes something that runs.
        tier: how critical the service is, as the catalog says.
        tags: labels that everything made will carry.
        images: container images, with their tags.
        uses: what it will use, for the estimate of its cost.
        holds: the key under which its cost is reserved and released, such as `env:pay-pr-7`;
            "" reserves nothing.
        frees: the keys whose reservations end with it.
        ttl_hours: how long it shall live; None is for good.
        lasting: it is one of the platform's own lasting environments, which do not end.
        review: why a second person has to look at it; empty where none has to.
        environments: how many environments the team will have with it.
        public: whether it can be reached from the internet.
        personal_data: whether it keeps or handles data of persons.
        new_dependencies: refs or hosts that the service did not depend on before.
        plain_secrets: places (FILE:LINE, a variable) where a secret seems to stand in plain text.
        why: what the person said it is for.
    """

    service: str = ""
    owner: str = ""
    environment: str = ""
    tier: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    images: tuple[str, ...] = ()
    uses: tuple[Use, ...] = ()
    holds: str = ""
    frees: tuple[str, ...] = ()
    ttl_hours: int | None = None
    lasting: bool = False
    review: tuple[str, ...] = ()
    environments: int = 0
    public: bool = False
    personal_data: bool = False
    new_dependencies: tuple[str, ...] = ()
    plain_secrets: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class Plan:
    """What will be changed, on which conditions.

    Attributes:
        action: the command, e.g. `update-service`.
        subject: what it acts on.
        inputs: what was asked for (release, answers); never a secret's value.
        preconditions: what must still hold when it is carried out (HEAD, versions).
        result: what it all comes to, e.g. the git tree that will be there.
        risk: remote and destroying plans ask first.
        facts: what policies, budgets and the audit trail ask of it.
    """

    action: str
    subject: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    preconditions: Mapping[str, str] = field(default_factory=dict)
    effects: tuple[Effect, ...] = ()
    result: str = ""
    risk: Risk = "local"
    facts: Facts = field(default_factory=Facts)

    @property
    def canonical(self) -> bytes:
        """The plan as JSON with sorted keys and no white space; a Decimal is text.

        Facts that say nothing are left out: an approval names the digest, and a fact that a later
        idp knows must not change it.
        """
        told = asdict(self)
        unsaid = asdict(Facts())
        facts = {key: value for key, value in told.pop("facts").items() if value != unsaid[key]}
        told |= {"facts": facts} if facts else {}
        return json.dumps(told, sort_keys=True, separators=(",", ":"), default=str).encode()

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON, in hex."""
        return hashlib.sha256(self.canonical).hexdigest()
