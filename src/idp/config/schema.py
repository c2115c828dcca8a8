"""What the configuration files may say, as Pydantic models, and how their mistakes are told.

A new section is a field here, a dataclass field and a line in `_platform` in `idp.config`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from idp.config.catalog_model import NAME, CatalogModel
from idp.config.guardrails_model import (
    CostsModel,
    IdentityModel,
    LedgerModel,
    PoliciesModel,
    RequestsModel,
    SecretsModel,
)
from idp.config.places import Document, KeyPath, Problem, parse, refusal
from idp.config.running_model import RunningModel
from idp.config.source import check_prefix, parse_source
from idp.config.strict import Strict, Text, checked
from idp.errors import InvalidInput


class TemplateModel(Strict):
    """A template that services are made from."""

    source: Annotated[str, checked(parse_source)] = Field(
        description="Where it is: an https or ssh URL, a path relative to this file, or "
        "idp:NAME for a built-in one; then @VERSION and #SUBFOLDER as needed.",
        examples=["https://git.example.com/platform/templates.git@v1.2.0#python-api"],
    )
    description: str = Field(
        default="", description="One line, for lists.", examples=["A FastAPI service"]
    )
    deprecated: Text | None = Field(
        default=None,
        description="Why it should not be used any more, and what to use instead.",
        examples=["use python-api"],
    )
    trusted: bool = Field(
        default=True,
        description="Whether its tasks, migrations and extensions may run.",
        examples=[True],
    )


class DefaultsModel(Strict):
    """Answers that are taken when none is given."""

    owner: Text | None = Field(
        default=None, description="The team that owns a new service.", examples=["team-payments"]
    )
    type: Text | None = Field(
        default=None, description="The template of a new service.", examples=["python-api"]
    )


Role = Literal["read", "triage", "write", "maintain", "admin"]


def _check_forge_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.path.strip("/"):
        raise InvalidInput("not the address of a forge", hint="like https://github.com")
    return text


class ProtectionModel(Strict):
    """What the main branch of a new repository asks for."""

    reviews: Annotated[int, Field(ge=0, le=6)] = Field(
        default=1, description="Approvals before a merge.", examples=[1]
    )
    code_owners: bool = Field(
        default=True, description="Whether a code owner must be among them.", examples=[True]
    )
    checks: list[Text] = Field(
        default_factory=list,
        description="Checks that must have passed before a merge.",
        examples=[["Lint and test"]],
    )


class ForgeModel(Strict):
    """Where repositories are, and how a new one is set up."""

    kind: Literal["github", "gitlab", "gitea"] = Field(
        default="github", description="Which forge it is; Forgejo is gitea.", examples=["github"]
    )
    url: Annotated[str, checked(_check_forge_url)] = Field(
        default="https://github.com",
        description="Its address in a browser.",
        examples=["https://github.com"],
    )
    client_id: str = Field(
        default="",
        description="The OAuth app by which `idp auth login` logs people in to GitHub.",
        examples=["Ov23liExampleClientId"],
    )
    owner: str = Field(
        default="",
        description="The organisation or group of new repositories; else your own account.",
        examples=["acme"],
    )
    visibility: Literal["private", "internal", "public"] = Field(
        default="private", description="Who may read a new repository.", examples=["private"]
    )
    owner_role: Role = Field(
        default="maintain",
        description="The role of the team that owns a service.",
        examples=["maintain"],
    )
    teams: dict[Text, Role] = Field(
        default_factory=dict,
        description="The roles of other teams, by name.",
        examples=[{"platform": "admin"}],
    )
    topics: list[Text] = Field(
        default_factory=list, description="Topics of a new repository.", examples=[["golden-path"]]
    )
    protection: ProtectionModel = Field(
        default_factory=ProtectionModel, description="What the main branch asks for."
    )


class PlatformModel(RunningModel):
    """The platform file: what a platform team offers its engineers."""

    model_config = ConfigDict(title="idp-platform.yaml")

    version: int = Field(
        description="The version of this file's format.",
        examples=[1],
        json_schema_extra={"const": 1},
    )
    name: Text | None = Field(
        default=None, description="What the platform is called.", examples=["acme"]
    )
    templates: dict[Annotated[str, Field(pattern=NAME)], TemplateModel] = Field(
        default_factory=dict,
        description="The templates, by the name that --type takes.",
        json_schema_extra={"additionalProperties": False},
    )
    defaults: DefaultsModel = Field(
        default_factory=DefaultsModel, description="Answers that are taken when none is given."
    )
    forge: ForgeModel = Field(
        default_factory=ForgeModel,
        description="Where repositories are, and how a new one is set up.",
    )
    catalog: CatalogModel = Field(
        default_factory=CatalogModel,
        description="Where the catalog is read, and what holds for it.",
    )
    ledger: LedgerModel = Field(
        default_factory=LedgerModel,
        description="Where audit trail, requests and budgets are recorded.",
    )
    identity: IdentityModel = Field(
        default_factory=IdentityModel,
        description="Whose word counts for who somebody is, besides the forge's.",
    )
    policies: PoliciesModel = Field(
        default_factory=PoliciesModel, description="The policies that every plan runs through."
    )
    costs: CostsModel = Field(
        default_factory=CostsModel, description="What things cost, and what each team may spend."
    )
    requests: RequestsModel = Field(
        default_factory=RequestsModel, description="Where requests for approval are kept."
    )
    secrets: SecretsModel = Field(default_factory=SecretsModel, description="Where secrets are.")


class UserModel(Strict):
    """A person's own configuration."""

    model_config = ConfigDict(title="config.yaml")

    platform: Annotated[str, checked(parse_source)] | None = Field(
        default=None,
        description="The platform file: a path (relative to this file) or a git URL with @REF.",
        examples=["https://git.example.com/platform/idp-platform.git@main"],
    )
    trust: list[Annotated[str, checked(check_prefix)]] = Field(
        default_factory=list,
        description="URLs of templates whose tasks, migrations and extensions may run: "
        "exact ones, or prefixes that end in /.",
        examples=[["https://git.example.com/platform/"]],
    )
    defaults: DefaultsModel = Field(
        default_factory=DefaultsModel, description="Answers that are taken when none is given."
    )


Dangling = Iterator[tuple[KeyPath, str, str]]


def _no_such_template(data: object) -> Dangling:
    """Yield (path, what, mend) where the default type names no template of the file."""
    match data:
        case {"defaults": {"type": str(chosen)}, **others}:
            names = others.get("templates", {})
            if isinstance(names, dict) and chosen not in names:
                mend = _closest(chosen, list(names))
                yield ("defaults", "type"), f"there is no template {chosen!r}", mend


def _dangling(data: object) -> Dangling:
    """Yield what is wrong in a platform file whose keys and types are right."""
    from idp.config import costs, policies, running_mistakes, scorecard

    yield from _no_such_template(data)
    yield from scorecard.mistakes(data)
    yield from policies.mistakes(data)
    yield from costs.mistakes(data)
    yield from running_mistakes.mistakes(data)


def _nothing(_: object) -> Dangling:
    yield from ()


@dataclass(frozen=True)
class _File:
    """A kind of file: its model, the one version it may state, its names that must exist."""

    model: type[Strict]
    version: int | None = None
    dangling: Callable[[object], Dangling] = _nothing


FILES = {
    "platform": _File(PlatformModel, version=1, dangling=_dangling),
    "user": _File(UserModel),
}

_KINDS = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "list_type": "a list",
}


def validate(kind: str, text: bytes, origin: str) -> dict[str, Any]:
    """Return {data, lines} of a configuration file, with defaults filled in.

    `lines` holds the line of each key by its dotted path. Raises an InvalidInput that tells
    every mistake at once.
    """
    file, document = FILES[kind], parse(text, origin)
    _check_version(file, document, origin)
    data, mistakes = _checked_data(file.model, document)
    for path, what, mend in file.dangling(document.data):
        mistakes.append(Problem(*document.at_value(path), f"{_dotted(path)}: {what}", mend))
    if mistakes:
        raise refusal(origin, mistakes)
    return {"data": data, "lines": {_dotted(path): line for path, line in document.lines()}}


def _check_version(file: _File, document: Document, origin: str) -> None:
    """Refuse a version of later; whatever else is unknown then is no mistake."""
    known = file.version
    match document.data:
        # `True` is an int to Python, and no version.
        case {"version": int(version)} if known and version is not True and version != known:
            what = f"version {version} is not known to this idp, which knows version {known}"
            place = document.at_value(("version",))
            raise refusal(origin, [Problem(*place, what, "update idp, or correct the version")])


def _checked_data(model: type[Strict], document: Document) -> tuple[dict[str, Any], list[Problem]]:
    """Return the file's data with defaults filled in, and its mistakes."""
    try:
        return model.model_validate(document.data).model_dump(mode="json"), document.problems
    except ValidationError as error:
        errors = error.errors(include_url=False)
        return {}, document.problems + [_problem(model, document, one) for one in errors]


def _problem(model: type[Strict], document: Document, error: ErrorDetails) -> Problem:
    path = tuple(part for part in error["loc"] if part != "[key]")
    what, mend = _words(model, path, error)
    at_key = error["type"] in ("extra_forbidden", "missing") or path != error["loc"]
    place = document.at_key(path) if at_key else document.at_value(path)
    return Problem(*place, f"{_dotted(path)}: {what}" if path else what, mend)


def _words(model: type[Strict], path: KeyPath, error: ErrorDetails) -> tuple[str, str]:
    """Return what is wrong, and what mends it."""
    match error["type"]:
        case "extra_forbidden":
            return "unknown key", _closest(str(path[-1]), list(_fields(model, path[:-1])))
        case "missing":
            return "this key is missing", _example(model, path)
        case "string_pattern_mismatch":
            return "not a name", "use a-z, 0-9 and -, at most 63 characters"
        case "string_too_short":
            return "must not be empty", _example(model, path)
        case name if name in _KINDS:
            return f"must be {_KINDS[name]}, not {_kind(error['input'])}", _example(model, path)
        case _:
            return error["msg"], error.get("ctx", {}).get("mend", "")


def _kind(value: object) -> str:
    match value:
        case None:
            return "empty"
        case bool() | int() | float():
            return f"`{json.dumps(value)}`"
        case str():
            return "text"
    return "a list" if isinstance(value, list) else "a mapping"


def _closest(name: str, known: list[str]) -> str:
    if near := get_close_matches(name, known, n=1):
        return f"did you mean {near[0]!r}?"
    return f"known here: {', '.join(known)}" if known else "leave it out"


def _example(model: type[Strict], path: KeyPath) -> str:
    """Return an example line for a key, or nothing where the model gives none."""
    field = _fields(model, path[:-1]).get(str(path[-1])) if path else None
    if field is None or not field.examples:
        return ""
    return f"for example `{path[-1]}: {_plain(field.examples[0])}`"


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _fields(model: type[Strict], path: KeyPath) -> dict[str, FieldInfo]:
    """Return the fields of the model that stands at a path; none where no model does."""
    kind: Any = model
    for part in path:
        here = getattr(kind, "model_fields", None)
        kind = here[part].annotation if here else get_args(kind)[-1]
        if type(None) in get_args(kind):
            kind = get_args(kind)[0]
    return getattr(kind, "model_fields", {})


def _dotted(path: KeyPath) -> str:
    return ".".join(map(str, path))
