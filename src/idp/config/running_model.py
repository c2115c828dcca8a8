"""What the sections on where things run may say: `providers`, `environments`, `deploy`."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field

from idp.config.catalog_model import NAME, check_place
from idp.config.running import moment
from idp.config.strict import Strict, Text, checked
from idp.errors import InvalidInput

_FIELD = re.compile(r"\{([^{}]*)\}")
_QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?(m|k|[MGTPE]|[KMGTPE]i)?")
_WORD = "[A-Za-z0-9][A-Za-z0-9-]{0,61}[A-Za-z0-9]"
_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"


def _check_fields(text: str, known: Collection[str], hint: str) -> None:
    left = _FIELD.sub("", text)
    if not set(_FIELD.findall(text)) <= set(known) or "{" in left or "}" in left:
        raise InvalidInput("has braces that stand for nothing", hint=hint)


def _check_url(text: str) -> None:
    if not text:
        return
    _check_web(text)
    _check_fields(text, ("name",), "{name} is the environment's name")
    if "{name}" not in text:
        raise InvalidInput("does not tell environments apart", hint="put {name} in it")


def _check_web(text: str) -> None:
    if not text:
        return
    check_place(text)
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise InvalidInput("no URL of the web", hint="like https://prometheus.example.com")


def _check_output(text: str) -> None:
    hint = "there are {environment}, {service} and {resource}"
    _check_fields(text, ("environment", "service", "resource"), hint)


def _check_type(text: str) -> None:
    if not re.fullmatch(f"{_WORD}(/{_WORD})?", text):
        raise InvalidInput("no type of Score", hint="like s3, or kafka/large for a class")


def _check_moment(text: str) -> None:
    try:
        moment(text)
    except (ValueError, OverflowError):
        hint = "for example `2026-12-20` or `2026-12-24T18:00Z`"
        raise InvalidInput("must be a day or an ISO time", hint=hint) from None


class ProvisionerModel(Strict):
    """How a type of resource is supplied that the provider does not make itself."""

    type: Annotated[str, checked(_check_type)] = Field(
        description="Score's type of the resource; with /CLASS it counts for that class only.",
        examples=["s3"],
    )
    outputs: dict[Text, Annotated[str, checked(_check_output)]] = Field(
        default_factory=dict,
        description="Fixed outputs; {environment}, {service} and {resource} are filled in.",
        examples=[{"bucket": "{environment}-{resource}"}],
    )
    command: list[Text] = Field(
        default_factory=list,
        description="A program that provisions and removes it: JSON on its stdin and stdout.",
        examples=[["provision-kafka"]],
    )
    secret: list[Text] = Field(
        default_factory=list,
        description="The outputs that are secrets.",
        examples=[["password"]],
    )


class ProviderModel(Strict):
    """A place where environments run."""

    kind: Literal["local"] = Field(
        description="local: supervised processes of this machine.", examples=["local"]
    )
    url: Annotated[str, checked(_check_url)] = Field(
        default="",
        description="The URL of an environment, with {name}; else the provider's own.",
        examples=["https://{name}.preview.example.com"],
    )
    provisioners: list[ProvisionerModel] = Field(
        default_factory=list,
        description="How resources are supplied that it does not make itself; the first that "
        "fits counts.",
    )


class HealthModel(Strict):
    """When a release counts as live."""

    passes: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=3, description="Checks in a row that must pass.", examples=[3]
    )
    every: Annotated[float, Field(ge=0.05, le=3600, allow_inf_nan=False)] = Field(
        default=0.3, description="Seconds between two checks.", examples=[1]
    )
    deadline: Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)] = Field(
        default=300.0, description="Seconds after which it has failed.", examples=[300]
    )
    prometheus: Annotated[str, checked(_check_web)] = Field(
        default="",
        description="The Prometheus that is asked as well.",
        examples=["https://prometheus.example.com"],
    )
    query: str = Field(
        default="",
        description="What it is asked, in PromQL: a value that is not 0 passes.",
        examples=["sum(rate(http_errors_total[1m])) < 1"],
    )


class EnvironmentsModel(Strict):
    """Environments that come and go, such as those of pull requests."""

    provider: Text | None = Field(
        default=None,
        description="The provider of `idp env up`; else the first of the file.",
        examples=["previews"],
    )
    ttl_hours: Annotated[int, Field(ge=1, le=87_600)] = Field(
        default=72, description="Hours that one lives if nobody extends it.", examples=[72]
    )
    idle_hours: Annotated[int, Field(ge=0, le=87_600)] = Field(
        default=48,
        description="Hours since its last deployment or commit after which it is idle; 0: never.",
        examples=[48],
    )
    authors: list[Text] = Field(
        default_factory=list,
        description="Authors whose pull requests get none, such as bots.",
        examples=[["dependabot[bot]"]],
    )
    health: HealthModel = Field(
        default_factory=HealthModel, description="When a release counts as live."
    )


class FreezeModel(Strict):
    """A time in which nothing is deployed."""

    begin: Annotated[str, checked(_check_moment)] = Field(
        description="A day or an ISO time, in UTC.", examples=["2026-12-20"]
    )
    end: Annotated[str, checked(_check_moment)] = Field(
        description="The first moment after it.", examples=["2027-01-04"]
    )
    why: str = Field(default="", description="Why.", examples=["end of year"])


class TargetModel(Strict):
    """A lasting environment that services are deployed to."""

    provider: Text = Field(description="The provider that runs it.", examples=["cluster"])
    after: str = Field(
        default="",
        description="The target whose live artefact is promoted to this one; else it is built.",
        examples=["staging"],
    )
    strategy: Literal["rolling", "blue-green"] = Field(
        default="rolling",
        description="How one release replaces another; blue-green on local ones only.",
        examples=["rolling"],
    )
    production: bool = Field(
        default=False, description="Whether it is production.", examples=[True]
    )
    checks: bool = Field(
        default=False,
        description="Whether the commit's checks on the forge must be green.",
        examples=[True],
    )
    clean: bool = Field(
        default=True,
        description="Whether the work tree must be clean and its commit pushed.",
        examples=[True],
    )
    approval: list[Text] = Field(
        default_factory=list,
        description="Tiers of services whose deployments need approval.",
        examples=[["critical"]],
    )
    freezes: list[FreezeModel] = Field(
        default_factory=list, description="Times in which nothing is deployed."
    )
    health: HealthModel = Field(
        default_factory=HealthModel, description="When a release counts as live."
    )


class RunningModel(Strict):
    """The three sections."""

    providers: dict[Annotated[str, Field(pattern=NAME)], ProviderModel] = Field(
        default_factory=dict,
        description="Where environments run, by name; else on this machine.",
        json_schema_extra={"additionalProperties": False},
    )
    environments: EnvironmentsModel = Field(
        default_factory=EnvironmentsModel,
        description="Environments that come and go, such as those of pull requests.",
    )
    deploy: dict[Annotated[str, Field(pattern=NAME)], TargetModel] = Field(
        default_factory=dict,
        description="Lasting environments that services are deployed to, by name; the first is "
        "the default.",
        json_schema_extra={"additionalProperties": False},
    )
