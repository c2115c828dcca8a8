"""Made-up entities, judged by us and by Backstage's own code (@backstage/catalog-model)."""

from __future__ import annotations

import copy
import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from idp.catalog.placeholders import Surroundings
from idp.catalog.validation import judge_file

from ..templates.stories import NPM_TOOLS, npm_tool, run, tool

STRINGS = [
    "",
    " ",
    "a",
    "A.b_c-d",
    "a--b..c",
    "-a",
    "a-",
    "a\n",
    "a" * 63,
    "a" * 64,
    "ä",
    "1",
    "x y",
]
STRINGS += ["team-a", "user:u", "a:b/c", "a/b", "a/b:c", ":a", "a:", "/a", "a/", "a:/b", "a:b:c"]
STRINGS += ["example.com/k", "e/x/k", "/k", "EXAMPLE.com/k", "node.js", "c++", "c#", "a:b", "go-1"]
STRINGS += [
    "backstage.io/v1alpha1",
    "backstage.io/v1beta1",
    "v1",
    "scaffolder.backstage.io/v1beta3",
]
STRINGS += [
    "https://x.org",
    "mailto:a@b",
    "/docs",
    "x.org",
    "http://a b",
    "http://[::1]",
    "http://",
]
STRINGS += ["Component", "component", "API", "User", "AiResource", "K" * 64, "required", "\u00a0"]
VALUES: list[Any] = [
    *STRINGS,
    None,
    True,
    False,
    0,
    7,
    1.5,
    [],
    {},
    ["a"],
    [""],
    [None],
    {"a": "b"},
]
VALUES += [["b", "a:c"], [["a"]], {"kind": "k", "name": "n"}, [{"kind": "k"}], [{"url": "x:y"}]]
KEYS = [
    "name",
    "namespace",
    "title",
    "description",
    "labels",
    "annotations",
    "tags",
    "links",
    "uid",
]
KEYS += ["type", "lifecycle", "owner", "system", "definition", "dependsOn", "dependencyOf", "etag"]
KEYS += ["providesApis", "children", "members", "memberOf", "parent", "profile", "domain", "target"]
KEYS += [
    "targets",
    "presence",
    "subcomponentOf",
    "kind",
    "apiVersion",
    "spec",
    "metadata",
    "status",
]
KEYS += ["url", "icon", "email", "picture", "displayName", "Example", "example.com/k", "a b"]

PROFILE = {"displayName": "A", "email": "a@b.c", "picture": "p"}
OWNED = {"type": "t", "lifecycle": "l", "owner": "o"}
SPECS: dict[str, dict[str, Any]] = {
    "Component": {**OWNED, "system": "s", "dependsOn": ["component:a"], "providesApis": ["x"]},
    "API": {**OWNED, "definition": "d"},
    "Resource": {"type": "t", "owner": "o", "dependencyOf": ["resource:r"]},
    "System": {"owner": "o", "domain": "d"},
    "Domain": {"owner": "o", "subdomainOf": "d"},
    "Group": {"type": "t", "children": ["c"], "members": ["m"], "parent": "p", "profile": PROFILE},
    "User": {"memberOf": ["g"], "profile": PROFILE},
    "Location": {"type": "url", "target": "./x", "targets": ["./y"], "presence": "optional"},
}
METADATA = {
    "name": "n",
    "namespace": "ns",
    "title": "T",
    "description": "D",
    "labels": {"a/b": "c", "d": ""},
    "annotations": {"e.f/g": "any thing"},
    "tags": ["go", "c++"],
    "links": [{"url": "https://x.org", "title": "t", "icon": "i", "type": "k"}],
}


def entities(count: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield valid entities with a change or two."""
    chance = random.Random(seed)
    for _ in range(count):
        kind = chance.choice(list(SPECS))
        made = {"apiVersion": "backstage.io/v1alpha1", "kind": kind}
        entity = copy.deepcopy({**made, "metadata": METADATA, "spec": SPECS[kind]})
        for _ in range(chance.choice((1, 1, 1, 2))):
            change(entity, chance)
        # Backstage sees a mapping here, whatever was in the file: its own annotations are in it.
        metadata = entity.get("metadata")
        if isinstance(metadata, dict) and metadata.get("annotations") in (None, False, ""):
            metadata["annotations"] = {}
        yield entity


def change(entity: dict[str, Any], chance: random.Random) -> None:
    places = [node for node in nodes(entity) if isinstance(node, dict) or node]
    node = chance.choice(places)
    if isinstance(node, list):
        node[chance.randrange(len(node))] = copy.deepcopy(chance.choice(VALUES))
    elif node and chance.random() < 0.2:
        del node[chance.choice(list(node))]
    elif node and chance.random() < 0.6:
        node[chance.choice(list(node))] = copy.deepcopy(chance.choice(VALUES))
    else:
        node[chance.choice(KEYS)] = copy.deepcopy(chance.choice(VALUES))


def nodes(value: Any) -> Iterator[Any]:
    if isinstance(value, (dict, list)):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from nodes(inner)


def our_ref(entity: dict[str, Any]) -> str | None:
    (one,) = judge_file(json.dumps(entity).encode(), Surroundings())
    return str(one.entity.ref) if one.entity and one.ok else None


def their_refs(made: list[dict[str, Any]], folder: Path) -> list[str | None]:
    npm_tool("@backstage/catalog-model")
    shutil.copy(Path(__file__).parent / "judge.mjs", folder)
    (folder / "node_modules").symlink_to(NPM_TOOLS / "node_modules")
    refs: list[str | None] = json.loads(
        run(tool("node"), folder / "judge.mjs", cwd=folder, stdin=json.dumps(made))
    )
    return refs


def test_backstage_says_the_same_of_thousands_of_entities(tmp_path: Path) -> None:
    made = list(entities(4000, seed=4))

    theirs = their_refs(made, tmp_path)

    different = [
        (entity, they, we)
        for entity, they in zip(made, theirs, strict=True)
        if they != (we := our_ref(entity))
    ]
    assert different == []
    assert 500 < sum(ref is not None for ref in theirs) < 3500
