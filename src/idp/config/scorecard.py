"""The built-in scorecard, what its rules may refer to, and what is wrong in one of a platform."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from idp.config.catalog import Scorecard, ScorecardRule
from idp.rules import UnreadableRule, compile_rule

VARIABLES = (
    "entity",
    "ref",
    "description",
    "lifecycle",
    "annotations",
    "labels",
    "tags",
    "links",
    "tier",
    "orphan",
    "owner",
    "relations",
    "dependencies",
    "repository",
)
"""What an expression of a scorecard may refer to; docs/catalog-score.md says what each holds."""

FILTER = 'entity.kind == "Component" && entity.spec.type == "service"'
"""Which entities are scored where the platform does not say."""

BUILT_IN: dict[str, ScorecardRule] = {
    "owner": ScorecardRule(
        "bronze",
        "owner.exists",
        "Has an owner that the catalog knows",
        "set spec.owner to a Group of the catalog",
    ),
    "description": ScorecardRule(
        "bronze",
        'description != ""',
        "Says what it is for",
        "write metadata.description",
    ),
    "lifecycle": ScorecardRule(
        "bronze",
        'lifecycle in ["experimental", "production", "deprecated"]',
        "Has a lifecycle that everybody knows",
        "set spec.lifecycle to experimental, production or deprecated",
    ),
    "repository": ScorecardRule(
        "bronze",
        'repository.url != "" || "backstage.io/source-location" in annotations'
        ' || "github.com/project-slug" in annotations'
        ' || "gitlab.com/project-slug" in annotations',
        "Its repository is known",
        "annotate it with backstage.io/source-location",
    ),
    "on-call": ScorecardRule(
        "silver",
        'annotations.exists(key, key.startsWith("pagerduty.com/")'
        ' || key.startsWith("opsgenie.com/"))',
        "Somebody is on call for it",
        "annotate it with pagerduty.com/service-id or opsgenie.com/component-selector",
    ),
    "runbook": ScorecardRule(
        "silver",
        "repository.runbooks.size() > 0"
        ' || links.exists(link, has(link.title) && link.title.contains("unbook"))',
        "Has a runbook",
        "write docs/runbooks/NAME.md, or link to a runbook in metadata.links",
    ),
    "tier": ScorecardRule(
        "silver",
        'tier != ""',
        "Says how critical it is",
        "set spec.tier",
    ),
    "docs": ScorecardRule(
        "silver",
        '"backstage.io/techdocs-ref" in annotations || "mkdocs.yml" in repository.files',
        "Has documentation",
        "annotate it with `backstage.io/techdocs-ref: dir:.`, or add mkdocs.yml",
    ),
    "readme": ScorecardRule(
        "silver",
        '"README.md" in repository.files',
        "Has a README",
        "write README.md beside its catalog file",
    ),
    "objective": ScorecardRule(
        "gold",
        '"slo.yaml" in repository.files',
        "Has a service level objective",
        "write slo.yaml (OpenSLO) beside its catalog file",
    ),
    "decisions": ScorecardRule(
        "gold",
        'repository.adrs.size() > 0 || "backstage.io/adr-location" in annotations',
        "Records its decisions",
        "write docs/adr/0001-….md (MADR)",
    ),
    "release": ScorecardRule(
        "gold",
        "repository.release == repository.newest_release",
        "Is on the newest release of its template",
        "run `idp update-service` in its repository",
        filter='repository.newest_release != ""',
    ),
    "dependencies": ScorecardRule(
        "gold",
        'dependencies.all(one, one.exists && one.lifecycle != "deprecated")',
        "All it depends on is there, and nothing of it is deprecated",
        "see `idp catalog graph REF`, and replace what is deprecated or missing",
    ),
    "source": ScorecardRule(
        "gold",
        "!orphan",
        "A source still has it",
        "see `idp catalog problems`: its catalog file has gone",
    ),
    "api": ScorecardRule(
        "gold",
        "relations.providesApi.size() > 0",
        "Its API is in the catalog",
        "add an API entity for openapi.yaml, and name it in spec.providesApis",
        filter='"openapi.yaml" in repository.files',
    ),
}
"""The rules that count unless the platform chooses among them."""

Path = tuple[str | int, ...]
Mistakes = Iterator[tuple[Path, str, str]]
_HERE: Path = ("catalog", "scorecard")


def mistakes(data: object) -> Mistakes:
    """Yield (path, what, mend) for what is wrong in the scorecard of a platform file.

    What has the wrong type is passed over: that is told by its model.
    """
    match data:
        case {"catalog": {"scorecard": dict(card)}}:
            levels = card.get("levels", list(Scorecard().levels))
            known = [one for one in levels if isinstance(one, str)] if _listed(levels) else None
            if known is not None:
                yield from _levels(known)
            yield from _chosen(card, known)
            yield from _expression((*_HERE, "filter"), card.get("filter"))
            rules = card.get("rules")
            for name, rule in rules.items() if isinstance(rules, dict) else ():
                if isinstance(rule, dict):
                    yield from _rule((*_HERE, "rules", name), rule, known)


def _listed(value: object) -> bool:
    return isinstance(value, list)


def _levels(known: list[str]) -> Mistakes:
    for place, level in enumerate(known):
        if level == "none":
            what = "'none' is what has reached no level"
            yield (*_HERE, "levels", place), what, "call the level something else"
        if level in known[:place]:
            yield (
                (*_HERE, "levels", place),
                f"the level {level!r} stands here twice",
                "leave it out",
            )


def _chosen(card: dict[str, Any], known: list[str] | None) -> Mistakes:
    """Yield built-in rules that are chosen and do not exist, or whose level does not."""
    chosen, rules = card.get("built_in"), card.get("rules")
    own = rules if isinstance(rules, dict) else {}
    for place, name in enumerate(chosen if isinstance(chosen, list) else ()):
        if isinstance(name, str) and name not in BUILT_IN:
            yield (
                (*_HERE, "built_in", place),
                f"no built-in rule {name!r}",
                _near(name, [*BUILT_IN]),
            )
    wanted = BUILT_IN if chosen is None else chosen if isinstance(chosen, list) else ()
    needed = {BUILT_IN[n].level: n for n in wanted if n in BUILT_IN and n not in own}
    for level, name in needed.items():
        if known is not None and level not in known:
            yield (
                (*_HERE, "levels"),
                f"the built-in rule {name!r} needs the level {level!r}",
                "choose other built-in rules (`built_in: []` is none), or keep the level",
            )


def _rule(path: Path, rule: dict[str, Any], known: list[str] | None) -> Mistakes:
    level = rule.get("level")
    if known is not None and isinstance(level, str) and level and level not in known:
        yield (*path, "level"), f"there is no level {level!r}", _near(level, known)
    for key in ("when", "filter"):
        yield from _expression((*path, key), rule.get(key))


def _expression(path: Path, text: object) -> Mistakes:
    if isinstance(text, str) and text:
        try:
            compile_rule(text, VARIABLES)
        except UnreadableRule as error:
            yield path, str(error), error.mend


def _near(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
