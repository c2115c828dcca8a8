"""A plan is data, and its digest names exactly that data."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.plan import Effect, Plan, Risk

texts = st.text(max_size=8)
mappings = st.dictionaries(texts, texts, max_size=4)
risks: st.SearchStrategy[Risk] = st.sampled_from(["local", "remote", "destroys"])
plans = st.builds(
    Plan,
    texts,
    texts,
    inputs=mappings,
    preconditions=mappings,
    effects=st.lists(st.builds(Effect, texts, texts), max_size=3).map(tuple),
    result=texts,
    risk=risks,
)


@given(plans)
def test_the_order_of_keys_does_not_matter(plan: Plan) -> None:
    turned = replace(
        plan,
        inputs=dict(reversed(list(plan.inputs.items()))),
        preconditions=dict(reversed(list(plan.preconditions.items()))),
    )
    assert turned.canonical == plan.canonical
    assert turned.digest == plan.digest


@given(plans, plans)
def test_two_plans_have_one_digest_only_if_they_are_equal(one: Plan, other: Plan) -> None:
    assert (one.digest == other.digest) == (one == other)


@given(plans, st.data())
def test_any_change_changes_the_digest(plan: Plan, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["action", "subject", "result"]))
    assert replace(plan, **{name: getattr(plan, name) + "!"}).digest != plan.digest
    assert replace(plan, effects=(*plan.effects, Effect("added", "x"))).digest != plan.digest
    assert replace(plan, preconditions={**plan.preconditions, "new key": ""}).digest != plan.digest


@given(plans)
def test_the_canonical_form_is_json_that_holds_the_whole_plan(plan: Plan) -> None:
    held = json.loads(plan.canonical)
    assert json.dumps(held, sort_keys=True, separators=(",", ":")).encode() == plan.canonical
    effects = tuple(Effect(**effect) for effect in held.pop("effects"))
    assert Plan(**held, effects=effects) == plan


def test_the_order_of_effects_is_the_order_of_work() -> None:
    one, two = Effect("added", "a"), Effect("deleted", "b")
    assert Plan("x", "y", effects=(one, two)).digest != Plan("x", "y", effects=(two, one)).digest


def test_a_digest_is_the_same_in_every_version_of_idp() -> None:
    """An approval names a digest: what it covers must not change with idp."""
    plan = Plan("update-service", "/srv/pay", {"to": "v2"}, {"HEAD": "abc"}, result="def")
    assert plan.canonical == (
        b'{"action":"update-service","effects":[],"inputs":{"to":"v2"},'
        b'"preconditions":{"HEAD":"abc"},"result":"def","risk":"local","subject":"/srv/pay"}'
    )
    assert plan.digest == "194e6de86d3d8dd01fc862c1bdc043888d1340b22ffd0f68fe0107b1419fd58e"


def test_a_plan_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Plan("x", "y").risk = "remote"  # type: ignore[misc]
