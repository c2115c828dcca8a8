"""Whatever is asked of whatever catalog, the answer is that of reading every document."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.catalog.index.opened import opened
from idp.catalog.query.counting import count_by
from idp.catalog.query.run import answer, written

from ..index_stories import made

Entity = dict[str, Any]
NAMES = ("a", "b", "ab", "c-1", "payments")
TAGS = ("go", "java", "go-2")
INVERSE = {"dependsOn": "dependencyOf", "dependencyOf": "dependsOn", "ownedBy": "ownerOf",
           "partOf": "hasPart"}  # fmt: skip


@dataclass
class World:
    """A catalog, read the slow way."""

    entities: list[Entity]

    def relations(self) -> set[tuple[str, str, str]]:
        """Return (source, type, target), both ways."""
        found: set[tuple[str, str, str]] = set()
        for entity in self.entities:
            spec, me = entity["spec"], ref_of(entity)
            for key, kind in (("dependsOn", "dependsOn"), ("dependencyOf", "dependencyOf")):
                found |= {(me, kind, target) for target in spec.get(key, ())}
            found.add((me, "ownedBy", f"group:default/{spec['owner']}"))
            if "system" in spec:
                found.add((me, "partOf", f"system:default/{spec['system']}"))
        return found | {(target, INVERSE[kind], source) for source, kind, target in found}

    def reaching(self, kind: str, target: str) -> set[str]:
        found: set[str] = set()
        relations, left = self.relations(), [target]
        while left:
            goal = left.pop()
            new = {s for s, k, t in relations if (k, t) == (kind, goal)} - found
            found |= new
            left += new
        return found


def ref_of(entity: Entity) -> str:
    return f"component:default/{entity['metadata']['name']}"


def values(entity: Entity, path: str) -> list[str]:
    """Return what is at a path in lower case, lists flattened."""
    found = dict(scalars(entity))
    return found.get(path, [])


def scalars(entity: Entity) -> Iterator[tuple[str, list[str]]]:
    metadata, spec = entity["metadata"], entity["spec"]
    yield "kind", ["component"]
    yield "metadata.namespace", ["default"]
    for place, holder in (("metadata", metadata), ("spec", spec)):
        for key, value in holder.items():
            if isinstance(value, dict):
                for inner, text in value.items():
                    yield f"{place}.{key}.{inner}".lower(), [text.lower()]
            else:
                listed = value if isinstance(value, list) else [value]
                if listed:
                    yield f"{place}.{key}".lower(), [text.lower() for text in listed]


def words(entity: Entity) -> list[list[str]]:
    metadata = entity["metadata"]
    body = " ".join(
        [metadata.get("description", ""), *metadata.get("tags", ()), entity["spec"]["type"]]
    )
    texts = (metadata["name"], metadata.get("title", ""), body)
    return [text.lower().replace("-", " ").split() for text in texts]


def counts(world: World, refs: list[str], name: str) -> list[tuple[str, int]]:
    """Return how many of some entities have each value, the most frequent first."""
    chosen = [entity for entity in world.entities if ref_of(entity) in refs]
    types = {"owner": "ownedBy", "dependsOn": "dependsOn"}
    if name in types:
        found = [t for s, kind, t in world.relations() if kind == types[name] and s in refs]
    else:
        paths = {"tags": "metadata.tags", "type": "spec.type"}
        found = [value for entity in chosen for value in values(entity, paths[name])]
    return sorted(Counter(found).items(), key=lambda pair: (-pair[1], pair[0]))


Meant = Callable[[World, Entity], bool]
Pair = tuple[str, Any, Meant]
"""An expression, the same as Backstage's predicate (None: it has no such), and what it means."""


def field(short: str, path: str, options: tuple[str, ...]) -> st.SearchStrategy[Pair]:
    def equal(value: str) -> Pair:
        return f"{short}={value}", {path: value}, lambda _, e: value.lower() in values(e, path)

    def among(some: list[str]) -> Pair:
        lower = {value.lower() for value in some}
        text = f"{short} in ({', '.join(some)})"
        return text, {path: {"$in": some}}, lambda _, e: bool(lower & set(values(e, path)))

    def begins(value: str) -> Pair:
        predicate = {path: {"$hasPrefix": value}}
        fits: Meant = lambda _, e: any(v.startswith(value.lower()) for v in values(e, path))  # noqa: E731
        return f"{short}={value}*", predicate, fits

    def holds(value: str) -> Pair:
        fits: Meant = lambda _, e: any(value.lower() in v for v in values(e, path))  # noqa: E731
        return f"{short}~{value}", None, fits

    there: Pair = (f"has({path})", {path: {"$exists": True}}, lambda _, e: bool(values(e, path)))
    value = st.sampled_from(options)
    return st.one_of(
        value.map(equal),
        st.lists(value, min_size=1, max_size=3).map(among),
        value.map(lambda v: begins(v[:2])),
        value.map(lambda v: holds(v[1:3] or v)),
        st.just(there),
    )


def related(kind: str) -> st.SearchStrategy[Pair]:
    def one(name: str) -> Pair:
        ref = f"component:default/{name}"
        fits: Meant = lambda w, e: (ref_of(e), kind, ref) in w.relations()  # noqa: E731
        return f"{kind}={ref}", {f"relations.{kind}": ref}, fits

    def deep(name: str) -> Pair:
        ref = f"component:default/{name}"
        fits: Meant = lambda w, e: ref_of(e) in w.reaching(kind, ref)  # noqa: E731
        return f"{kind}*={ref}", None, fits

    def among(names: list[str]) -> Pair:
        refs = [f"component:default/{name}" for name in names]
        fits: Meant = lambda w, e: any((ref_of(e), kind, r) in w.relations() for r in refs)  # noqa: E731
        text = f"{kind} in ({', '.join(refs)})"
        return text, {f"relations.{kind}": {"$in": refs}}, fits

    there: Pair = (
        f"has({kind})",
        {f"relations.{kind}": {"$exists": True}},
        lambda w, e: any((s, k) == (ref_of(e), kind) for s, k, _ in w.relations()),
    )
    name = st.sampled_from(NAMES)
    several = st.lists(name, min_size=2, max_size=3).map(among)
    return st.one_of(name.map(one), several, name.map(deep), st.just(there))


def searched(word: str) -> Pair:
    def fits(_: World, entity: Entity) -> bool:
        return any(w.startswith(word) for column in words(entity) for w in column)

    return f"text~{word}", None, fits


def owned(name: str) -> Pair:
    ref = f"group:default/{name}"
    fits: Meant = lambda w, e: (ref_of(e), "ownedBy", ref) in w.relations()  # noqa: E731
    return f"owner={ref}", {"relations.ownedBy": ref}, fits


LEAVES = st.one_of(
    field("name", "metadata.name", (*NAMES, "zz")),
    field("tag", "metadata.tags", (*TAGS, "GO")),
    field("type", "spec.type", ("service", "website")),
    field("lifecycle", "spec.lifecycle", ("production", "old")),
    field("kind", "kind", ("component", "api")),
    field("labels.x.io/tier", "metadata.labels.x.io/tier", ("one", "two")),
    related("dependsOn"),
    related("dependencyOf"),
    st.sampled_from(("team-a", "team-b", "team-c")).map(owned),
    st.sampled_from(("go", "pay", "service", "checkout", "zzz")).map(searched),
)


def negated(pair: Pair) -> Pair:
    text, predicate, fits = pair
    return f"not ({text})", predicate and {"$not": predicate}, lambda w, e: not fits(w, e)


def both(pairs: list[Pair]) -> Pair:
    predicates = [predicate for _, predicate, _ in pairs]
    return (
        " ".join(f"({text})" for text, _, _ in pairs),
        {"$all": predicates} if all(predicates) else None,
        lambda w, e: all(fits(w, e) for _, _, fits in pairs),
    )


def either(pairs: list[Pair]) -> Pair:
    predicates = [predicate for _, predicate, _ in pairs]
    return (
        " or ".join(f"({text})" for text, _, _ in pairs),
        {"$any": predicates} if all(predicates) else None,
        lambda w, e: any(fits(w, e) for _, _, fits in pairs),
    )


EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(negated),
        st.lists(inner, min_size=1, max_size=3).map(both),
        st.lists(inner, min_size=1, max_size=3).map(either),
    ),
    max_leaves=8,
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    refs = st.lists(st.sampled_from([f"component:default/{name}" for name in NAMES]), unique=True)
    return World([draw(entities(name, refs)) for name in names])


@st.composite
def entities(draw: st.DrawFn, name: str, refs: st.SearchStrategy[list[str]]) -> Entity:
    more = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "title": st.sampled_from(("The go service", "Payments checkout")),
                "description": st.just("Does the checkout"),
                "tags": st.lists(st.sampled_from(TAGS), unique=True),
                "labels": st.sampled_from(({"x.io/tier": "One"}, {"x.io/tier": "two"}, {})),
            },
        )
    )
    spec = draw(
        st.fixed_dictionaries(
            {
                "type": st.sampled_from(("service", "website")),
                "lifecycle": st.sampled_from(("production", "Old")),
                "owner": st.sampled_from(("team-a", "team-b")),
            },
            optional={"dependsOn": refs, "dependencyOf": refs, "system": st.just("shop")},
        )
    )
    version = "backstage.io/v1alpha1"
    metadata = {"name": name, **more}
    return {"apiVersion": version, "kind": "Component", "metadata": metadata, "spec": spec}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(worlds(), st.lists(EXPRESSIONS, min_size=5, max_size=10))
def test_an_answer_is_that_of_reading_every_document(world: World, pairs: list[Pair]) -> None:
    text = "\n---\n".join(json.dumps(entity) for entity in world.entities)
    with (
        tempfile.TemporaryDirectory() as folder,
        opened(made(Path(folder), {"catalog-info.yaml": text})) as index,
    ):
        for expression, predicate, fits in pairs:
            true = sorted(ref_of(entity) for entity in world.entities if fits(world, entity))
            by_ref = written(f"{expression} order by ref")
            assert [ref for (ref,) in answer(index, by_ref, ("ref",)).rows] == true
            assert (
                sorted(ref for (ref,) in answer(index, written(expression), ("ref",)).rows) == true
            )
            walked = written(f"not (not ({expression}))")  # nothing to begin with: refs are walked
            assert [ref for (ref,) in answer(index, walked, ("ref",)).rows] == true
            page = answer(index, by_ref.at_most(2), ("ref",))
            assert ([ref for (ref,) in page.rows], page.more) == (true[:2], len(true) > 2)
            for field_name in ("owner", "tags", "dependsOn", "type"):
                counted = count_by(index, by_ref, field_name).rows
                assert counted == counts(world, true, field_name)
            if predicate is not None:
                asked = written(predicate=json.dumps(predicate))
                assert [ref for (ref,) in answer(index, asked, ("ref",)).rows] == true
