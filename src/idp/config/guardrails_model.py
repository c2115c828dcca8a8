"""What the guardrails' sections of the platform file may say, as Pydantic models."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field

from idp.config.catalog_model import NAME, check_place
from idp.config.strict import Strict, Text, checked, mistake
from idp.errors import InvalidInput

_FIELDS = ("service", "environment", "name")


_MOST = Decimal(10) ** 15
_FINEST = -12
_FLOAT_DIGITS = 15  # as many as a float of YAML surely keeps


def _amount(written: Any) -> str:
    """Return an amount of money as text, exactly as it was written."""
    if isinstance(written, str) and re.fullmatch(r"[A-Z]{3} ?\S+|\S+ ?[A-Z]{3}", written):
        raise mistake(
            "an amount is a number alone", "costs.rates.currency says in which currency all are"
        )
    try:
        amount = Decimal(str(written))
    except InvalidOperation:
        amount = Decimal("NaN")
    if isinstance(written, bool) or not amount.is_finite():
        raise mistake("must be an amount of money", "for example `12.50`")
    if amount < 0:
        raise mistake("must not be negative", "for example `12.50`; 0 is nothing")
    digits = amount.as_tuple()
    if isinstance(written, float) and len(digits.digits) > _FLOAT_DIGITS:
        raise mistake("has too many digits to be read exactly", "put it in quotes")
    if amount >= _MOST or int(digits.exponent) < _FINEST:
        raise mistake("is out of range", "below 10^15, with at most 12 digits behind the point")
    return f"{amount:f}"


Amount = Annotated[str, BeforeValidator(_amount, json_schema_input_type=str | int | float)]


def _day(written: Any) -> str:
    try:
        return date.fromisoformat(str(written)).isoformat()
    except ValueError as error:
        raise mistake("must be a day", "for example `2026-11-01`") from error


def _check_secret_path(text: str) -> None:
    named = re.findall(r"\{(\w*)\}", text)
    if "name" not in named or not set(named) <= set(_FIELDS) or text != text.strip("/"):
        raise InvalidInput("no pattern of a path", hint="like {service}/{environment}/{name}")


_KEY = r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]="  # 32 bytes leave two bits of the last letter at 0


def _check_key(text: str) -> None:
    if not re.fullmatch(_KEY, text):
        raise InvalidInput(
            "no public key: an Ed25519 one is 32 bytes in base64, 43 letters and `=`",
            hint="`idp audit key` prints it",
        )


def _check_issuer(text: str) -> None:
    """Raise InvalidInput unless a text is the URL of an OIDC issuer, or empty."""
    if not text:
        return
    if not text.isprintable() or text != text.strip():
        raise InvalidInput("has blanks around it or characters that cannot be shown")
    try:
        parts = urlsplit(text)
        is_issuer = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_issuer = False
    if not is_issuer or parts.query or parts.fragment or "@" in parts.netloc:
        raise InvalidInput(
            "an OIDC issuer is an https URL without a login, a query or a fragment",
            hint="like https://login.example.com",
        )


class LedgerModel(Strict):
    """Where audit trail, requests and budgets are recorded."""

    url: Annotated[str, checked(check_place)] = Field(
        default="",
        description="postgresql://USER@HOST/NAME without a password (PGPASSWORD and ~/.pgpass hold "
        "it), or a path; else a file of each machine's own.",
        examples=["postgresql://idp@ledger.example.com/idp"],
    )
    anchors: Annotated[str, checked(check_place)] = Field(
        default="",
        description="The git repository in which checkpoints of the audit trail are anchored.",
        examples=["https://git.example.com/platform/audit-anchors.git"],
    )
    keys: dict[Text, Annotated[str, checked(_check_key)]] = Field(
        default_factory=dict,
        description="Public keys (Ed25519, base64) whose checkpoints are believed, by name.",
        examples=[{"ci": "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="}],
    )


class IdentityModel(Strict):
    """Whose word counts for who somebody is, besides the forge's."""

    issuer: Annotated[str, checked(_check_issuer)] = Field(
        default="",
        description="The OIDC issuer whose tokens (IDP_ID_TOKEN) are believed: an https URL.",
        examples=["https://login.example.com"],
    )
    audience: Text = Field(
        default="idp", description="What its tokens must be made for.", examples=["idp"]
    )
    claim: Text = Field(
        default="sub", description="The claim that names a person or a job.", examples=["email"]
    )


Severity = Literal["deny", "needs-approval", "warn"]


class PolicyModel(Strict):
    """A policy of the platform."""

    severity: Severity = Field(
        description="What comes of a plan that does not meet it.", examples=["deny"]
    )
    when: Text = Field(
        description="What must be so, in CEL; docs/policy.md tells the variables.",
        examples=['plan.images.all(image, image.startsWith("registry.example.com/"))'],
    )
    message: Text = Field(
        description="What is wrong where it is not so.",
        examples=["an image is not from our registry"],
    )
    hint: str = Field(
        default="", description="What to do then.", examples=["push it to registry.example.com"]
    )
    filter: str = Field(
        default="",
        description="Which plans it is asked of, in CEL; all if empty.",
        examples=['plan.environment == "production"'],
    )
    which: str = Field(
        default="",
        description="What is at fault, in CEL: a list of texts that is told with the message.",
        examples=['plan.images.filter(image, image.startsWith("docker.io/"))'],
    )


class PoliciesModel(Strict):
    """The policies that every plan runs through."""

    built_in: list[Text] | None = Field(
        default=None,
        description="The built-in policies that count; else all of them.",
        examples=[["budget", "image-tag"]],
    )
    severity: dict[Text, Severity | Literal["off"]] = Field(
        default_factory=dict,
        description="Other severities of built-in policies, by name; `off` leaves one out.",
        examples=[{"time-to-live": "warn"}],
    )
    tags: list[Text] = Field(
        default_factory=lambda: ["owner", "team", "service", "cost-centre", "environment"],
        description="The tags that what runs must carry.",
        examples=[["owner", "cost-centre"]],
    )
    max_ttl_hours: Annotated[int, Field(ge=1)] = Field(
        default=336,
        description="How long an environment may live that is not production.",
        examples=[72],
    )
    max_environments: Annotated[int, Field(ge=0)] = Field(
        default=10, description="How many environments a team may have.", examples=[5]
    )
    quota: dict[Text, Amount] = Field(
        default_factory=dict,
        description="How much one environment may use at once, by entry of the rate card.",
        examples=[{"cpu_hour": "8", "gb_hour": "32"}],
    )
    rules: dict[Annotated[str, Field(pattern=NAME)], PolicyModel] = Field(
        default_factory=dict,
        description="The platform's own, by name; one replaces the built-in policy so named.",
        json_schema_extra={"additionalProperties": False},
    )
    rego: list[Text] = Field(
        default_factory=list,
        description="Files of Rego, relative to this file; they need idp-toolchain[rego].",
        examples=[["policies/team.rego"]],
    )


class RatesModel(Strict):
    """What things cost: a dated card that the platform team keeps."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = Field(
        description="The currency of all amounts (ISO 4217).", examples=["EUR"]
    )
    source: Text = Field(
        description="Where the amounts come from.", examples=["price list of our cloud, eu-west-1"]
    )
    date: Annotated[str, BeforeValidator(_day, json_schema_input_type=str)] = Field(
        description="As of which day.", examples=["2026-11-01"]
    )
    cpu_hour: Amount | None = Field(
        default=None, description="A CPU for an hour.", examples=["0.04"]
    )
    gb_hour: Amount | None = Field(
        default=None, description="A gigabyte of memory for an hour.", examples=["0.005"]
    )
    gb_month: Amount | None = Field(
        default=None, description="A gigabyte of storage for a month.", examples=["0.10"]
    )
    flat: dict[Text, Amount] = Field(
        default_factory=dict,
        description="Resources with a price a month, by name.",
        examples=[{"postgres": "14.50"}],
    )


class BudgetModel(Strict):
    """What a team may commit a month."""

    hard: Amount = Field(description="What is never exceeded.", examples=["500"])
    soft: Amount | None = Field(
        default=None, description="From where on people are warned.", examples=["400"]
    )


class CostsModel(Strict):
    """What things cost, and what each team may spend."""

    rates: RatesModel | None = Field(
        default=None, description="The rate card; without it nothing is estimated."
    )
    approval_over: Amount | None = Field(
        default=None,
        description="An estimate a month over this needs approval.",
        examples=["100"],
    )
    budgets: dict[Text, BudgetModel] = Field(
        default_factory=dict, description="The budget of each team a month, by the team's name."
    )
    default: BudgetModel | None = Field(
        default=None, description="The budget of a team that has none of its own."
    )


class RequestsModel(Strict):
    """Where requests for approval are kept."""

    repository: str = Field(
        default="",
        description="The platform's repository on its forge: a request is a pull request there. "
        "Else the ledger holds them.",
        examples=["acme/platform"],
    )
    branch: Text = Field(default="main", description="Its protected branch.", examples=["main"])
    folder: Text = Field(
        default="requests", description="The folder of requests in it.", examples=["requests"]
    )
    expires_days: Annotated[int, Field(ge=1, le=365)] = Field(
        default=7, description="After how many days a request is void.", examples=[7]
    )


class SecretsModel(Strict):
    """Where secrets are."""

    backend: Literal["vault", "aws", "local"] = Field(
        default="local",
        description="vault (OpenBao too), aws (Secrets Manager), or local: a file of each machine.",
        examples=["vault"],
    )
    url: str = Field(
        default="",
        description="Vault's address; else VAULT_ADDR or BAO_ADDR.",
        examples=["https://vault.example.com"],
    )
    namespace: str = Field(default="", description="Vault's namespace.", examples=["platform"])
    mount: Text = Field(
        default="secret", description="Where the KV v2 engine is mounted.", examples=["secret"]
    )
    auth: Literal["token", "approle", "jwt"] = Field(
        default="token", description="How idp logs in to Vault.", examples=["jwt"]
    )
    role: str = Field(default="", description="The role of that login.", examples=["idp-fulfil"])
    auth_mount: str = Field(
        default="", description="Where the login method is mounted.", examples=["jwt"]
    )
    path: Annotated[str, checked(_check_secret_path)] = Field(
        default="{service}/{environment}/{name}",
        description="Where a secret is below the mount.",
        examples=["{service}/{environment}/{name}"],
    )
    region: str = Field(default="", description="AWS's region.", examples=["eu-west-1"])
    max_age_days: Annotated[int, Field(ge=1)] = Field(
        default=90, description="After how many days a secret is stale.", examples=[90]
    )
