"""The guardrails of the platform file: ledger, identity, policies, costs, requests, secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

Severity = Literal["deny", "needs-approval", "warn"]


@dataclass(frozen=True)
class LedgerSettings:
    """Where the ledger is.

    Attributes:
        url: `postgresql://USER@HOST/DB` without a password, or a path; empty is this machine's own.
        anchors: where checkpoints of the trail are anchored: a git URL or a path; empty is nowhere.
        keys: public keys (Ed25519, base64) whose checkpoints are believed, by name.
    """

    url: str = ""
    anchors: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class IdentitySettings:
    """Whose OIDC tokens are believed; without an issuer only the forge is.

    Attributes:
        claim: the claim that names a person or a job.
    """

    issuer: str = ""
    audience: str = "idp"
    claim: str = "sub"


@dataclass(frozen=True)
class PolicyRule:
    """A policy of the platform; `when` and `filter` are CEL.

    Attributes:
        when: what must be so.
        filter: which plans it is asked of; all if empty.
        which: what is at fault, as a list of texts, to be told with the message.
    """

    severity: Severity
    when: str
    message: str
    hint: str = ""
    filter: str = ""
    which: str = ""


@dataclass(frozen=True)
class PolicySettings:
    """The policies that every plan runs through.

    Attributes:
        built_in: the built-in policies that count; None is all of them.
        severity: other severities of built-in policies, by name; `off` leaves one out.
        tags: the tags that what runs must carry.
        max_ttl_hours: how long an environment that is not production may live.
        max_environments: of one team.
        quota: how much one environment may use at once, by entry of the rate card.
        rules: the platform's own, by name; one replaces the built-in policy of its name.
        rego: files of Rego beside the platform file.
    """

    built_in: tuple[str, ...] | None = None
    severity: Mapping[str, Severity | Literal["off"]] = field(default_factory=dict)
    tags: tuple[str, ...] = ("owner", "team", "service", "cost-centre", "environment")
    max_ttl_hours: int = 336
    max_environments: int = 10
    quota: Mapping[str, Decimal] = field(default_factory=dict)
    rules: Mapping[str, PolicyRule] = field(default_factory=dict)
    rego: tuple[str, ...] = ()


METERED = ("cpu_hour", "gb_hour", "gb_month")
"""The entries of a rate card that have a unit; all others are flat, a month."""


@dataclass(frozen=True)
class RateCard:
    """What things cost, as of a day (`date`, ISO); amounts in `currency`, None is not known."""

    currency: str
    source: str
    date: str
    cpu_hour: Decimal | None = None
    gb_hour: Decimal | None = None
    gb_month: Decimal | None = None
    flat: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True)
class Budget:
    """What a team may commit a month: over `soft` it is warned, over `hard` refused."""

    hard: Decimal
    soft: Decimal | None = None


@dataclass(frozen=True)
class CostSettings:
    """What things cost, and what each team may spend.

    Attributes:
        approval_over: an estimate a month over this needs approval; None never does.
        default: the budget of teams without one of their own.
    """

    rates: RateCard | None = None
    approval_over: Decimal | None = None
    budgets: Mapping[str, Budget] = field(default_factory=dict)
    default: Budget | None = None


@dataclass(frozen=True)
class RequestSettings:
    """Where requests are kept.

    Attributes:
        repository: full name of the platform's repository on its forge; empty: the ledger.
        branch: its protected branch.
        folder: of the requests in it.
        expires_days: after which a pending or approved request is void.
    """

    repository: str = ""
    branch: str = "main"
    folder: str = "requests"
    expires_days: int = 7


@dataclass(frozen=True)
class SecretSettings:
    """Where secrets are.

    Attributes:
        backend: vault (OpenBao too), aws (Secrets Manager) or local (a file of this machine).
        url: of Vault; empty: VAULT_ADDR or BAO_ADDR.
        mount: of the KV v2 engine.
        auth: how idp logs in to Vault; `token` is VAULT_TOKEN, BAO_TOKEN or ~/.vault-token.
        role: of AppRole or JWT logins.
        auth_mount: where that login method is mounted; empty: its usual place.
        path: of a secret below the mount, of {service}, {environment} and {name}.
        region: of AWS.
        max_age_days: after which a secret is stale.
    """

    backend: Literal["vault", "aws", "local"] = "local"
    url: str = ""
    namespace: str = ""
    mount: str = "secret"
    auth: Literal["token", "approle", "jwt"] = "token"
    role: str = ""
    auth_mount: str = ""
    path: str = "{service}/{environment}/{name}"
    region: str = ""
    max_age_days: int = 90


@dataclass(frozen=True)
class Guardrails:
    """All of them."""

    ledger: LedgerSettings = LedgerSettings()
    identity: IdentitySettings = IdentitySettings()
    policies: PolicySettings = field(default_factory=PolicySettings)
    costs: CostSettings = field(default_factory=CostSettings)
    requests: RequestSettings = RequestSettings()
    secrets: SecretSettings = SecretSettings()


def guardrails(data: Mapping[str, Any]) -> Guardrails:
    """Return the guardrails that a validated platform file holds."""
    return Guardrails(
        ledger=LedgerSettings(**data["ledger"]),
        identity=IdentitySettings(**data["identity"]),
        policies=_policies(data["policies"]),
        costs=_costs(data["costs"]),
        requests=RequestSettings(**data["requests"]),
        secrets=SecretSettings(**data["secrets"]),
    )


def _policies(data: Mapping[str, Any]) -> PolicySettings:
    chosen = data["built_in"]
    return PolicySettings(
        built_in=None if chosen is None else tuple(chosen),
        severity=data["severity"],
        tags=tuple(data["tags"]),
        max_ttl_hours=data["max_ttl_hours"],
        max_environments=data["max_environments"],
        quota={rate: Decimal(amount) for rate, amount in data["quota"].items()},
        rules={name: PolicyRule(**rule) for name, rule in data["rules"].items()},
        rego=tuple(data["rego"]),
    )


def _costs(data: Mapping[str, Any]) -> CostSettings:
    over, default = data["approval_over"], data["default"]
    return CostSettings(
        rates=_card(data["rates"]),
        approval_over=None if over is None else Decimal(over),
        budgets={team: _budget(one) for team, one in data["budgets"].items()},
        default=_budget(default) if default else None,
    )


def _card(data: Mapping[str, Any] | None) -> RateCard | None:
    if data is None:
        return None
    known = {name: data[name] for name in METERED if data[name] is not None}
    rates = {name: Decimal(amount) for name, amount in known.items()}
    flat = {name: Decimal(amount) for name, amount in data["flat"].items()}
    return RateCard(data["currency"], data["source"], data["date"], **rates, flat=flat)


def _budget(data: Mapping[str, Any]) -> Budget:
    soft = data["soft"]
    return Budget(Decimal(data["hard"]), None if soft is None else Decimal(soft))
