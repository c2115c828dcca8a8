"""What a container finds in its environment: its variables, filled, with settings over them."""

from __future__ import annotations

import pytest

from idp.errors import InvalidInput, NotFound
from idp.provider.variables import hidden, variables
from idp.workload.model import Container, Resource, Workload

from .releases import release

WORKLOAD = Workload(
    "shop",
    (
        Container(
            "main",
            ".",
            variables={
                "DB": "postgres://${resources.db.username}:${resources.db.password}@db",
                "HOST": "${resources.db.host}",
                "NAME": "${metadata.name}",
                "SHELL_TEXT": "$${HOME}",
            },
        ),
    ),
    resources=(Resource("db", "postgres"),),
)
OUTPUTS = {"db": {"host": "127.0.0.1", "username": "u", "password": "p${x}"}}


def test_variables_are_filled_once() -> None:
    assert variables(release(WORKLOAD), "main", OUTPUTS) == {
        "DB": "postgres://u:p${x}@db",
        "HOST": "127.0.0.1",
        "NAME": "shop",
        "SHELL_TEXT": "${HOME}",
    }


def test_settings_stand_over_variables_as_they_are() -> None:
    set_by_hand = release(WORKLOAD, settings={"HOST": "${HOME}", "MORE": "1"})
    found = variables(set_by_hand, "main", OUTPUTS)
    assert (found["HOST"], found["MORE"]) == ("${HOME}", "1")


def test_an_output_that_is_not_there_is_told_with_its_place() -> None:
    with pytest.raises(InvalidInput) as caught:
        variables(release(WORKLOAD), "main", {"db": {"host": "h", "user": "u", "password": "p"}})
    assert caught.value.message == (
        "containers.main.variables.DB: ${resources.db.username}: "
        "'db' (postgres) has no output 'username'"
    )
    assert caught.value.hint == "did you mean 'user'?"


def test_variables_that_hold_a_secret_are_known() -> None:
    secrets = {("db", "password")}
    assert hidden(release(WORKLOAD), "main", secrets) == {"DB"}
    assert hidden(release(WORKLOAD, settings={"DB": "sqlite://"}), "main", secrets) == frozenset()


def test_a_container_that_is_not_there_is_told() -> None:
    with pytest.raises(NotFound, match="no container 'mian'") as caught:
        variables(release(WORKLOAD), "mian", {})
    assert caught.value.hint == "did you mean 'main'?"
