"""What the section `catalog` of the platform file may say, as Pydantic models."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from idp.config.strict import Strict, Text, checked, mistake
from idp.errors import InvalidInput

NAME = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
_CREDENTIAL = re.compile(r"//[^/@]*:[^/@]*@|https?://[^/@]*@")


def check_place(text: str) -> None:
    """Raise InvalidInput where a place has blanks around it or carries a credential."""
    if not text.isprintable() or text != text.strip():
        raise InvalidInput("has blanks around it or characters that cannot be shown")
    if _CREDENTIAL.search(text):
        raise InvalidInput(
            "this URL carries a credential", hint="take it out and log in with `idp auth login`"
        )


Place = Annotated[str, Field(min_length=1), checked(check_place)]


class SourceModel(Strict):
    """Where catalog files are."""

    source: Place = Field(
        description="A folder or a glob (relative to this file), a git URL with @REF and "
        "#SUBFOLDER, github:, gitlab: or gitea: with an organisation and @HOST, or backstage: "
        "with a URL.",
        examples=["github:acme"],
    )
    files: list[Text] = Field(
        default_factory=list,
        description="Globs of the files to read; else every catalog-info.yaml.",
        examples=[["catalog-info.yaml", "services/*/catalog-info.yaml"]],
    )
    skip: list[Text] = Field(
        default_factory=list,
        description="Globs of repositories or paths that are left out.",
        examples=[["*-archive", "sandbox"]],
    )


def _entry(written: Any) -> Any:
    """Return a source as a mapping; text alone is its place."""
    if isinstance(written, str):
        return {"source": written}
    if isinstance(written, dict):
        return written
    raise mistake("must be text or a mapping", "for example `github:acme`")


class RuleModel(Strict):
    """A rule of the scorecard."""

    level: Text = Field(description="The level it belongs to.", examples=["silver"])
    when: Text = Field(
        description="What must be so, in CEL; docs/catalog-score.md tells the variables.",
        examples=['"slo.yaml" in repository.files'],
    )
    title: Text = Field(
        description="What it asks for, in a few words.", examples=["Has an objective"]
    )
    next: str = Field(
        default="", description="What to do where it is not so.", examples=["write slo.yaml"]
    )
    filter: str = Field(
        default="",
        description="Which of the scored entities it is asked of, in CEL; all if empty.",
        examples=['tier == "critical"'],
    )
    weight: Annotated[int, Field(ge=0, le=100)] = Field(
        default=1, description="How much it counts in the percentage.", examples=[2]
    )


class ScorecardModel(Strict):
    """How services are scored."""

    filter: str = Field(
        default="",
        description="Which entities are scored, in CEL; else the Components of type service.",
        examples=['entity.kind == "Component"'],
    )
    levels: Annotated[list[Text], Field(min_length=1)] = Field(
        default_factory=lambda: ["bronze", "silver", "gold"],
        description="The levels, from the lowest to the highest.",
        examples=[["bronze", "silver", "gold"]],
    )
    built_in: list[Text] | None = Field(
        default=None,
        description="The built-in rules that count; else all of them.",
        examples=[["owner", "runbook"]],
    )
    rules: dict[Annotated[str, Field(pattern=NAME)], RuleModel] = Field(
        default_factory=dict,
        description="The platform's own rules, by name; one replaces the built-in rule so named.",
        json_schema_extra={"additionalProperties": False},
    )


class CatalogModel(Strict):
    """Where the catalog is read, and what holds for it."""

    sources: list[
        Annotated[SourceModel, BeforeValidator(_entry, json_schema_input_type=Text | SourceModel)]
    ] = Field(
        default_factory=list,
        description="Where catalog files are; the first to claim an entity has it.",
        examples=[["../services", "github:acme"]],
    )
    grace: Annotated[int, Field(ge=0, le=3650)] = Field(
        default=7,
        description="Days for which an entity that no source has any more stays.",
        examples=[7],
    )
    snapshot: Annotated[str, checked(check_place)] = Field(
        default="",
        description="Where the index is published and pulled: a URL, or a path relative to this "
        "file.",
        examples=["https://files.example.com/catalog.db.zst"],
    )
    scorecard: ScorecardModel = Field(
        default_factory=ScorecardModel, description="How services are scored."
    )
