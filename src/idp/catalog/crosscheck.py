"""What documents say of each other: who is missing, who is there twice, what goes in circles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches

from idp.catalog.cycles import cycles
from idp.catalog.entity import Entity
from idp.catalog.problem import KeyPath, Level, Problem, written
from idp.catalog.relations import Mention
from idp.catalog.validation import Judged

CIRCULAR = ("dependsOn", "partOf", "childOf")

Judgements = Sequence[tuple[str, Judged]]
Found = dict[int, list[Problem]]


def cross_check(judged: Judgements) -> list[tuple[str, Judged]]:
    """Return the verdicts with what is wrong between the documents; each comes with its file."""
    entities = [(at, one.entity) for at, (_, one) in enumerate(judged) if one.entity]
    first: dict[str, int] = {}
    found: Found = defaultdict(list)
    for at, entity in entities:
        owner = first.setdefault(str(entity.ref), at)
        if owner != at:
            found[at].append(_duplicate(judged, owner, at, entity))
    near = _Neighbours(first, _spoilt(judged))
    for at, entity in entities:
        document = judged[at][1]
        found[at] += (
            near.missing(document, m) for m in entity.mentions if str(m.target) not in first
        )
        if entity.kind == "Template" and not any(m.field.name == "owner" for m in entity.mentions):
            found[at].append(
                _problem(document, ("spec", "owner"), "is missing", "add owner", "warning")
            )
    for at, problem in _circles(judged, first):
        found[at].append(problem)
    return [(name, one.with_problems(found[at])) for at, (name, one) in enumerate(judged)]


def _problem(
    judged: Judged, path: KeyPath, message: str, hint: str, level: Level = "error"
) -> Problem:
    place = judged.document.at(path)
    return Problem(*place, written(path), message, hint, "refs", level)


def _duplicate(judged: Judgements, owner: int, at: int, entity: Entity) -> Problem:
    name, earlier = judged[owner]
    line, _ = earlier.document.at(("metadata", "name"))
    message = f"{entity.ref} is there already, at {name}:{line}: only the first counts"
    return _problem(judged[at][1], ("metadata", "name"), message, "rename or remove one of the two")


def _spoilt(judged: Judgements) -> dict[str, str]:
    """Return where the documents are that would be these entities, were they valid."""
    found = {}
    for name, one in judged:
        if one.entity is None and one.would_be:
            line, _ = one.document.at(("metadata", "name"))
            found[one.would_be] = f"{name}:{line}"
    return found


class _Neighbours:
    """Says why a reference leads nowhere, and which one was meant."""

    def __init__(self, known: Iterable[str], spoilt: Mapping[str, str]) -> None:
        self.spoilt = spoilt
        self.known: dict[str, list[str]] = defaultdict(list)
        for ref in known:
            self.known[self._shelf(ref)].append(ref)

    @staticmethod
    def _shelf(ref: str) -> str:
        kind, _, rest = ref.partition(":")
        return f"{kind}:{rest.partition('/')[2][:1]}"

    def missing(self, judged: Judged, mention: Mention) -> Problem:
        ref = str(mention.target)
        if ref in self.spoilt:
            message = f"{ref} is not valid itself, at {self.spoilt[ref]}"
            return _problem(judged, mention.path, message, "mend it there", "warning")
        alike = [one for one in self.known[self._shelf(ref)] if abs(len(one) - len(ref)) <= 3]
        close = get_close_matches(ref, alike, 1, 0.8)
        hint = f"did you mean {close[0]}?" if close else "validate its file too, or mend the name"
        who = "the owner " if mention.field.name == "owner" else ""
        return _problem(judged, mention.path, f"{who}{ref} is in none of these files", hint)


def _circles(judged: Judgements, first: dict[str, int]) -> Iterator[tuple[int, Problem]]:
    """Yield a warning for each set of entities that go in a circle, at the first of them."""
    edges: dict[str, dict[str, set[str]]] = {kind: defaultdict(set) for kind in CIRCULAR}
    for at in first.values():
        entity = judged[at][1].entity
        for relation in entity.relations() if entity else ():
            if relation.type in edges and str(relation.target) in first:
                edges[relation.type][str(relation.source)].add(str(relation.target))
    for kind, graph in edges.items():
        for circle in cycles(graph, list(first)):
            at = first[circle[0]]
            way = " → ".join((*circle, circle[0]))
            message = f"{kind} goes in a circle: {way}"
            path = _place_of(judged[at][1].entity, circle[1 % len(circle)])
            yield at, _problem(judged[at][1], path, message, "take one of these out", "warning")


def _place_of(entity: Entity | None, target: str) -> KeyPath:
    mentioned = (m.path for m in (entity.mentions if entity else ()) if str(m.target) == target)
    return next(mentioned, ("metadata", "name"))
