"""What a repository says of the plan that would run it: score.yaml and catalog-info.yaml."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from idp.catalog.ref import MalformedRef, parse
from idp.errors import NotFound
from idp.plan import Facts
from idp.policy.files import File, files
from idp.policy.said import is_yes, said_at, said_of, tier_of
from idp.policy.workload import Workload, workload

CATALOG, SCORE = "catalog-info.yaml", "score.yaml"
_PERSONAL = {"personal-data", "pii"}
_DEPENDS = {"dependsOn": "", "consumesApis": "API"}


@dataclass(frozen=True)
class Repository:
    """What a repository's files say.

    Attributes:
        facts: of the plan that would run it; without its new dependencies.
        places: FILE:LINE of what is at fault, by itself or by the name of the fact.
        depends: canonical refs of what it depends on, with their FILE:LINE.
        read: the files that were read.
        unpriced: types of resources that the rate card does not have.
    """

    facts: Facts
    places: Mapping[str, str] = field(default_factory=dict)
    depends: Mapping[str, str] = field(default_factory=dict)
    read: tuple[str, ...] = ()
    unpriced: tuple[str, ...] = ()


def repository(
    folder: Path, environment: str, flat: Collection[str] = (), shown: str = ""
) -> Repository:
    """Return what a repository's files say.

    Args:
        shown: what its folder is called before the names of its files, with a / at its end.
        environment: where it would run.
        flat: the resources that the rate card has.

    Raises:
        NotFound: it has neither of the files.
        InvalidInput: one cannot be read.
    """
    scores = [workload(file, flat) for file in files(folder, SCORE, shown)]
    entities = list(files(folder, CATALOG, shown))
    if not scores and not entities:
        raise NotFound(
            f"neither {SCORE} nor {CATALOG} in {folder}",
            hint="name the folder of a service, or a plan by --plan FILE",
        )
    entity = next((one for one in entities if one.data.get("kind") == "Component"), None)
    score = scores[0] if scores else None
    read = tuple(shown + name for name, there in ((CATALOG, entities), (SCORE, scores)) if there)
    return Repository(
        _facts(entity, score, environment),
        _places(entity, score),
        _depends(entity),
        read,
        score.unpriced if score else (),
    )


def _facts(entity: File | None, score: Workload | None, environment: str) -> Facts:
    said: Mapping[str, Any] = entity.data if entity else {}
    name = entity.under("metadata").get("name") if entity else score.name if score else ""
    owner = entity.under("spec").get("owner") if entity else ""
    service, team = str(name or ""), str(owner or "")
    labels = entity.under("metadata", "labels") if entity else {}
    tags = {str(key).rpartition("/")[2]: _text(value) for key, value in labels.items()}
    known = {"owner": team, "team": team, "service": service, "environment": environment}
    return Facts(
        service=service,
        owner=team,
        environment=environment,
        tier=tier_of(said),
        tags=tags | {key: value for key, value in known.items() if value},
        images=tuple(score.images) if score else (),
        uses=score.uses if score else (),
        public=bool(score and score.public) or any(map(is_yes, said_of(said, "public"))),
        personal_data=_personal(entity) is not None,
        plain_secrets=tuple(score.secrets) if score else (),
    )


def _places(entity: File | None, score: Workload | None) -> dict[str, str]:
    """Return where the facts stand: what the workload says, and the entity's fields."""
    places: dict[str, str] = {}
    if entity:
        places |= {
            "owner": entity.at("spec", "owner"),
            "tags": entity.at("metadata", "labels"),
            "tier": _place(entity, "tier"),
            "personal_data": entity.at(*(_personal(entity) or ("metadata",))),
            "public": _place(entity, "public"),
        }
    if score:
        places |= {**score.images, **score.secrets}
        places |= {"public": score.public} if score.public else {}
    return places


def _place(entity: File, key: str) -> str:
    kinds = [kind for kind, _ in said_at(entity.data, key)]
    return entity.at("metadata", kinds[0]) if kinds else entity.at("spec", key)


def _personal(entity: File | None) -> tuple[str, ...] | None:
    """Return where an entity says that it handles personal data; None where it does not."""
    if entity is None:
        return None
    for kind, said in said_at(entity.data, "personal-data"):
        if is_yes(said):
            return ("metadata", kind)
    tags = entity.under("metadata").get("tags")
    if isinstance(tags, list) and _PERSONAL.intersection(map(str, tags)):
        return ("metadata", "tags")
    return None


def _depends(entity: File | None) -> dict[str, str]:
    if entity is None:
        return {}
    namespace = str(entity.under("metadata").get("namespace") or "default")
    found: dict[str, str] = {}
    for key in _DEPENDS:
        named = entity.under("spec").get(key)
        for place, one in enumerate(named if isinstance(named, list) else ()):
            found.setdefault(_ref(one, key, namespace), entity.at("spec", key, place))
    return found


def depended_on(document: Mapping[str, Any]) -> frozenset[str]:
    """Return the canonical refs of what an entity of the catalog depends on."""
    spec, metadata = document.get("spec") or {}, document.get("metadata") or {}
    namespace = str(metadata.get("namespace") or "default")
    return frozenset(
        _ref(one, key, namespace) for key in _DEPENDS for one in spec.get(key) or () if one
    )


def _ref(written: object, key: str, namespace: str) -> str:
    try:
        return str(parse(str(written), _DEPENDS[key], namespace))
    except MalformedRef:
        return str(written)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
