"""Score's own JSON Schema and idp say the same of every document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.catalog.reading import read
from idp.errors import InvalidInput
from idp.workload import shape
from idp.workload.reading import read as read_workload

from .stories import official

jsonschema = pytest.importorskip("jsonschema", reason="pip install jsonschema")

FULL: dict[str, Any] = {
    "apiVersion": "score.dev/v1b1",
    "metadata": {"name": "shop", "annotations": {"idp.dev/run": "./serve"}, "more": [1]},
    "service": {"ports": {"web": {"port": 80, "protocol": "TCP", "targetPort": 8080}}},
    "containers": {
        "main": {
            "image": ".",
            "command": ["a"],
            "args": ["b"],
            "variables": {"A": "${resources.db.host}"},
            "files": {"/a": {"content": "x", "mode": "0600", "noExpand": True}},
            "volumes": {"/data": {"source": "data", "path": "x", "readOnly": True}},
            "before": {"side": {"ready": "healthy"}},
            "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "5m"}},
            "livenessProbe": {"exec": {"command": ["ls"]}},
            "readinessProbe": {
                "httpGet": {
                    "path": "/",
                    "port": 80,
                    "host": "h",
                    "scheme": "HTTP",
                    "httpHeaders": [{"name": "X", "value": "y"}],
                }
            },
        },
        "side": {
            "image": "x:1",
            "files": [{"target": "/b", "binaryContent": "YQ=="}, {"target": "/c", "source": "c"}],
            "volumes": [{"target": "/d", "source": "data"}],
        },
    },
    "resources": {
        "db": {
            "type": "postgres",
            "class": "Big-One",
            "id": "shared.db-1",
            "metadata": {"annotations": {"a.b/c": "d", "aa": "e"}, "x": 1},
            "params": {"size": 1},
        }
    },
}
WORDS = [
    *("", "a", "ab", "Ab", "a-", "-a", "a.b", "a..b", "a--b", "a_b", "ä", "a=b", "a/b", "a b"),
    *("ab\n", "٣", "x" * 63, "x" * 64, "x" * 317, "0600", "600", "0800", "1Gi", "0", "01", "1.5"),
    *("100m", "0.5K", "1e3", "TCP", "HTTPS", "started", "target", "source", "content", "path"),
    *("binaryContent", "port", "type", "image", "exec", "annotations", "aa.bb/cc", "a/", "/aa"),
]
VALUES: list[Any] = [
    *(
        None,
        True,
        False,
        0,
        1,
        65535,
        65536,
        -1,
        1.0,
        80.5,
        1e300,
        [],
        {},
        [""],
        [1],
        [{}],
        {"": 1},
    ),
    *({"a": {}}, {"ab": {"image": "."}}, {"source": "x"}, {"content": "", "source": "y"}),
    *({"target": "/x", "content": ""}, {"/x": {"target": "y", "source": "z"}}, {"cpu": "1"}),
    *WORDS,
]
JSON_PLAIN = st.sampled_from(VALUES) | st.text("ab.-/=0\n", max_size=5)


@cache
def judge() -> Any:
    """Return Score's schema, its patterns as ECMA has them: `$` is the end, `\\d` is 0 to 9."""
    text = official("score-v1b1.json").read_text()
    data = json.loads(text.replace(r"\\d", "[0-9]"))
    for node in _dicts(data):
        if isinstance(pattern := node.get("pattern"), str):
            node["pattern"] = pattern.removesuffix("$") + r"\Z"
    return jsonschema.Draft202012Validator(data)


def _dicts(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for inner in (
        node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    ):
        yield from _dicts(inner)


def _containers(node: Any) -> Iterator[Any]:
    """Yield every mapping and list that has something in it."""
    if isinstance(node, (dict, list)) and node:
        yield node
        for inner in node.values() if isinstance(node, dict) else node:
            yield from _containers(inner)


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """Return the full document with a few changes at random places."""
    data = deepcopy(FULL)
    for _ in range(draw(st.integers(1, 3))):
        places = list(_containers(data))
        if not places:
            break
        node = draw(st.sampled_from(places))
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = draw(st.sampled_from(keys))
        match draw(st.sampled_from(["set", "drop", "name", "add"])):
            case "set":
                node[key] = deepcopy(draw(JSON_PLAIN))
            case "drop":
                del node[key]
            case "name" if isinstance(node, dict):
                node[draw(st.sampled_from(WORDS))] = node.pop(key)
            case "add" if isinstance(node, dict):
                node[draw(st.sampled_from(WORDS))] = deepcopy(draw(JSON_PLAIN))
            case _:
                node.append(deepcopy(draw(JSON_PLAIN)))
    return data


@settings(max_examples=600, deadline=None)
@given(mutated())
def test_our_verdict_is_that_of_the_schema(data: dict[str, Any]) -> None:
    document = next(read(json.dumps(data, ensure_ascii=False).encode()))
    assert document.data == data
    told = shape.mistakes(document)
    assert bool(told) is not judge().is_valid(data), told


@settings(max_examples=300, deadline=None)
@given(data=mutated())
def test_what_is_read_is_right_by_the_schema_and_nothing_breaks(
    data: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / "mutated.yaml"
    file.write_text(json.dumps(data, ensure_ascii=False))
    try:
        read_workload(file)
    except InvalidInput as error:
        assert str(file) in error.message
    else:
        assert judge().is_valid(data)


@pytest.mark.parametrize("name", ["score-full.yaml", "score-deprecated-files-and-volumes.yaml"])
def test_scores_own_samples_are_right(name: str) -> None:
    document = next(read(official(name).read_bytes()))
    assert judge().is_valid(document.data)
    assert shape.mistakes(document) == []
