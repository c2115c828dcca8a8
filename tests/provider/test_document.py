"""A release kept as a document comes back as it was, without the secrets it was given."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.errors import InvalidInput
from idp.provider.base import Release
from idp.provider.document import from_json, to_json
from idp.workload.model import Container, Workload

from .releases import json_values, release, releases

PLAIN = release(Workload("shop", (Container("main", "."),)))


@given(releases)
def test_every_release_comes_back_as_it_was(one: Release) -> None:
    kept = to_json(one)
    assert from_json(kept) == one
    assert to_json(from_json(kept)) == kept
    assert kept.isascii()
    assert "\n" not in kept


def test_secrets_are_not_in_it() -> None:
    kept = to_json(replace(PLAIN, given={"db": {"password": "hunter2"}}))
    assert "hunter2" not in kept
    assert from_json(kept).given == {}


def test_what_is_as_by_default_takes_no_room() -> None:
    assert json.loads(to_json(PLAIN))["release"]["workload"] == {
        "name": "shop",
        "containers": [{"name": "main", "image": "."}],
    }


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, '{"format": 2}'])
def test_what_is_no_document_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        from_json(text)


@given(path=st.integers(0, 60), value=json_values)
def test_a_damaged_document_is_refused_or_read_and_never_breaks(path: int, value: object) -> None:
    data = json.loads(to_json(PLAIN))
    places = list(_places(data))
    node, key = places[path % len(places)]
    node[key] = value
    try:
        assert isinstance(from_json(json.dumps(data)), Release)
    except InvalidInput as error:
        assert "stored release" in error.message


def _places(node: object) -> list[tuple[dict[str, object], str]]:
    found: list[tuple[dict[str, object], str]] = []
    if isinstance(node, list):
        return [one for inner in node for one in _places(inner)]
    if isinstance(node, dict):
        for key, inner in node.items():
            found += [(node, key), *_places(inner)]
    return found


def test_a_field_of_a_later_idp_is_told() -> None:
    data = json.loads(to_json(PLAIN))
    data["release"]["colour"] = "blue"
    with pytest.raises(InvalidInput, match="nobody knows 'colour'"):
        from_json(json.dumps(data))
