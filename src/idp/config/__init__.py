"""The platform file and the user's configuration: typed, strict, each value with its origin.

A file's validated form is kept as JSON, so that loading it again imports neither Pydantic nor
YAML; `idp.config.schema` is imported only for a text not seen before.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, TypeVar

from idp.config.catalog import CatalogSettings, settings
from idp.config.guardrails import Guardrails, guardrails
from idp.config.running import Running, running, sections
from idp.config.source import is_under, parse_source
from idp.errors import InvalidInput

# Raised when a file's validated form changes: what was cached before is then read anew.
CACHE_SCHEMA = 5
EMBEDDED_ORIGIN = "embedded default"

FLAGS = {"platform": "platform", "owner": "defaults.owner", "type": "defaults.type"}
VARIABLES = {"IDP_PLATFORM": "platform", "IDP_LEDGER": "ledger.url"}

Value = str | bool | int | float
Role = Literal["read", "triage", "write", "maintain", "admin"]
T = TypeVar("T")


@dataclass(frozen=True)
class Defaults:
    """Answers that are taken when none is given."""

    owner: str | None = None
    type: str | None = None


@dataclass(frozen=True)
class TemplateEntry:
    """A template of the platform; `source` is as written, a path is relative to the file."""

    source: str
    description: str
    deprecated: str | None
    trusted: bool


@dataclass(frozen=True)
class ProtectionRules:
    """What the main branch of a new repository asks for."""

    reviews: int = 1
    code_owners: bool = True
    checks: tuple[str, ...] = ()


@dataclass(frozen=True)
class ForgeSettings:
    """Where repositories are, and how a new one is set up.

    Attributes:
        kind: github, gitlab or gitea.
        url: its address in a browser.
        owner: the organisation, group or person of new repositories; empty is the account itself.
        owner_role: the role of a service's owning team.
        teams: the roles of other teams, by name.
        client_id: the OAuth app of the device flow; it is no secret.
    """

    kind: Literal["github", "gitlab", "gitea"] = "github"
    url: str = "https://github.com"
    owner: str = ""
    visibility: Literal["private", "internal", "public"] = "private"
    owner_role: Role = "maintain"
    teams: Mapping[str, Role] = field(default_factory=dict)
    topics: tuple[str, ...] = ()
    protection: ProtectionRules = ProtectionRules()
    client_id: str = ""


@dataclass(frozen=True)
class Platform:
    """A platform file; `lines` holds the line of each key by its dotted path."""

    name: str | None
    templates: Mapping[str, TemplateEntry]
    defaults: Defaults
    origin: str
    forge: ForgeSettings = ForgeSettings()
    catalog: CatalogSettings = field(default_factory=CatalogSettings)
    guardrails: Guardrails = field(default_factory=Guardrails)
    running: Running = field(default_factory=Running)
    lines: Mapping[str, int] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class UserConfig:
    """A person's own configuration; a path in `platform` is absolute."""

    platform: str | None = None
    trust: tuple[str, ...] = ()
    defaults: Defaults = Defaults()
    origin: str = ""
    lines: Mapping[str, int] = field(default_factory=dict, repr=False)

    def trusts(self, url: str) -> bool:
        """Whether the tasks, migrations and extensions of the template at a URL may run."""
        return any(is_under(url, allowed) for allowed in self.trust)


@dataclass(frozen=True)
class Setting:
    """One effective value and where it comes from: a flag, a variable, FILE:LINE, a default."""

    key: str
    value: Value
    origin: str


EMBEDDED = Platform(
    name="embedded",
    templates={
        "python-api": TemplateEntry(
            source="idp:python-api",
            description="An HTTP service in Python with FastAPI",
            deprecated=None,
            trusted=True,
        ),
        "node-ts-api": TemplateEntry(
            source="idp:node-ts-api",
            description="An HTTP service in TypeScript with Fastify",
            deprecated=None,
            trusted=True,
        ),
    },
    defaults=Defaults(type="python-api"),
    origin=EMBEDDED_ORIGIN,
)


def load_platform(text: bytes, origin: str, cache_dir: Path | None) -> Platform:
    """Return the platform file `text`; `origin` names it in messages and in `explain`.

    Raises an InvalidInput that tells every mistake with its line and column.
    """
    return _load("platform", text, origin, cache_dir, _platform)


def load_user_config(path: Path, cache_dir: Path | None) -> UserConfig:
    """Return the user's configuration; a missing file is an empty one.

    Raises an InvalidInput that tells every mistake with its line and column.
    """
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return UserConfig()
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}") from error
    return _load("user", text, str(path), cache_dir, _user)


def locate_platform(
    flags: Mapping[str, str | None], environ: Mapping[str, str], user: UserConfig
) -> Setting | None:
    """Return where the platform file is said to be and by whom; None means the embedded one."""
    return _merged(_user_settings(user), _given(flags, environ)).get("platform")


def explain(
    flags: Mapping[str, str | None],
    environ: Mapping[str, str],
    user: UserConfig,
    platform: Platform,
) -> tuple[Setting, ...]:
    """Return each effective value with its origin, by key.

    Flag over environment over platform file over user's configuration over default.
    """
    layers = [_user_settings(user), _platform_settings(platform)]
    if platform.origin == EMBEDDED_ORIGIN:
        layers.reverse()
    merged = _merged(*layers, _given(flags, environ))
    return tuple(merged[key] for key in sorted(merged))


def _load(
    kind: str,
    text: bytes,
    origin: str,
    cache_dir: Path | None,
    build: Callable[[Any, str], T],
) -> T:
    entry = None
    if cache_dir is not None:
        import hashlib

        digest = hashlib.sha256(b"%d %s\0" % (CACHE_SCHEMA, kind.encode()) + text).hexdigest()
        entry = cache_dir / f"{kind}-{digest}.json"
        # A damaged entry is as good as none: it is written anew below.
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            return build(json.loads(entry.read_bytes()), origin)
    from idp.config.schema import validate

    checked = validate(kind, text, origin)
    if entry is not None:
        _write(entry, json.dumps(checked))
    return build(checked, origin)


def _write(entry: Path, text: str) -> None:
    """Write a cache entry in one step; a cache that cannot be written is done without."""
    beside = entry.with_suffix(f".{os.getpid()}")
    with suppress(OSError):
        entry.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text, encoding="utf-8")
        beside.replace(entry)


def _platform(checked: dict[str, Any], origin: str) -> Platform:
    data = checked["data"]
    return Platform(
        name=data["name"],
        templates={name: TemplateEntry(**entry) for name, entry in data["templates"].items()},
        defaults=Defaults(**data["defaults"]),
        origin=origin,
        forge=_forge(data["forge"]),
        catalog=settings(data["catalog"]),
        guardrails=guardrails(data),
        running=running(data),
        lines=checked["lines"],
    )


def _forge(data: dict[str, Any]) -> ForgeSettings:
    rules = data["protection"]
    protection = ProtectionRules(**rules | {"checks": tuple(rules["checks"])})
    return ForgeSettings(**data | {"topics": tuple(data["topics"]), "protection": protection})


def _user(checked: dict[str, Any], origin: str) -> UserConfig:
    data = checked["data"]
    return UserConfig(
        platform=data["platform"] and _absolute(data["platform"], Path(origin).parent),
        trust=tuple(data["trust"]),
        defaults=Defaults(**data["defaults"]),
        origin=origin,
        lines=checked["lines"],
    )


def _absolute(place: str, folder: Path) -> str:
    """Return a place with its path, if it is one, made absolute."""
    if not parse_source(place).is_path:
        return place
    return str(Path.home() / place[2:] if place.startswith("~/") else folder / place)


def _given(flags: Mapping[str, str | None], environ: Mapping[str, str]) -> dict[str, Setting]:
    """Return what this call's flags and environment say; an empty value says nothing."""
    variables = {
        key: Setting(key, value, f"environment {name}")
        for name, key in VARIABLES.items()
        if (value := environ.get(name))
    }
    words = {
        FLAGS[name]: Setting(FLAGS[name], value, f"flag --{name}")
        for name, value in flags.items()
        if value
    }
    return variables | words


def _user_settings(user: UserConfig) -> dict[str, Setting]:
    values = {"platform": user.platform, "trust": user.trust, "defaults": asdict(user.defaults)}
    return _settings(values, user.origin, user.lines)


def _platform_settings(platform: Platform) -> dict[str, Setting]:
    values = asdict(platform)
    origin, lines = values.pop("origin"), values.pop("lines")
    values.pop("running")
    values |= sections(platform.running)
    values |= values.pop("guardrails")  # in the file each is a section of its own
    return _settings(values, origin, lines)


def _settings(values: object, origin: str, lines: Mapping[str, int]) -> dict[str, Setting]:
    """Return a file's values by dotted key; what the file does not say is a default."""
    default = EMBEDDED_ORIGIN if origin == EMBEDDED_ORIGIN else "default"
    return {
        key: Setting(key, value, f"{origin}:{lines[key]}" if key in lines else default)
        for key, value in _leaves(values)
    }


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, Value]]:
    """Yield each leaf with its dotted path; None is no value."""
    if isinstance(value, Decimal):
        value = str(value)
    if isinstance(value, str | int | float):
        yield path.removeprefix("."), value
        return
    inside: Iterator[tuple[object, object]] = iter(())
    if isinstance(value, Mapping):
        inside = iter(value.items())
    elif isinstance(value, tuple):
        inside = iter(enumerate(value))
    for key, child in inside:
        yield from _leaves(child, f"{path}.{key}")


def _merged(*layers: Mapping[str, Setting]) -> dict[str, Setting]:
    """Return the layers' settings by key, the later layer first."""
    return {key: setting for layer in layers for key, setting in layer.items()}
