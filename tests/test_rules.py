"""Rules in CEL: what they answer, what they cannot, and which are refused."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from idp.rules import LONGEST, NoAnswer, Scope, UnreadableRule, compile_rule

PLAN = {"plan": {"cost": 12.5, "tags": ["pci", "eu"], "owner": {"name": "pat"}}, "hour": 9}


def value(text: str, variables: dict[str, Any] = PLAN) -> Any:
    return compile_rule(text, variables).value(Scope(variables))


def why_not(text: str) -> str:
    with pytest.raises(NoAnswer) as caught:
        compile_rule(text, PLAN).holds(Scope(PLAN))
    return str(caught.value)


def refused(text: str) -> UnreadableRule:
    with pytest.raises(UnreadableRule) as caught:
        compile_rule(text, PLAN)
    return caught.value


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("plan.cost > 10.0 && hour < 18", True),
        ('plan.tags.exists(tag, tag.startsWith("pc"))', True),
        ('has(plan.team) && plan.team == "x"', False),
        ('plan.owner.name + "!"', "pat!"),
        ("size(plan.tags) * hour", 18),
        ("type(plan.tags) == list", True),
    ],
)
def test_a_rule_answers_from_the_variables_it_is_given(text: str, answer: object) -> None:
    assert value(text) == answer


def test_one_scope_answers_many_rules_and_one_rule_many_scopes() -> None:
    early = compile_rule("hour < 12", ["hour"])
    assert [early.holds(Scope({"hour": hour})) for hour in (9, 15)] == [True, False]
    assert early.variables == {"hour"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('plan.team == "x"', "there is no team"),
        ("plan.tags[7] == hour", "index out of bounds: 7"),
        ("plan.owner > 3", "the operation is not defined"),
        ("hour / 0 == 1", "division by zero"),
        ("plan.cost", "it comes to float, and must be true or false"),
        ('plan.owner.name.matches("[")', "not a valid regex"),
    ],
)
def test_what_cannot_be_said_has_no_answer_and_says_why(text: str, told: str) -> None:
    assert told in why_not(text)


@pytest.mark.parametrize(
    ("text", "told", "mend"),
    [
        ("plan.cost >", "not CEL at its character 12", "cel.dev"),
        ("plan.cost = 3", "not CEL at its character 11", "write == to compare"),
        ("plan.cost > 1 &&\n  $", "character 3 of line 2", ""),
        ("pln.cost > 3", "there is no variable 'pln'", "did you mean 'plan'?"),
        ("plan.tags.len() > 3", "there is no function 'len'", "known here"),
        ("", "not CEL", ""),
    ],
)
def test_a_mistake_is_told_before_any_rule_is_asked(text: str, told: str, mend: str) -> None:
    error = refused(text)
    assert told in str(error)
    assert mend in error.mend


def test_the_variable_of_a_loop_is_known_inside_it() -> None:
    assert value('plan.tags.filter(tag, tag != "eu").map(one, one + "x")') == ["pcix"]


@pytest.mark.parametrize(
    "text",
    [
        "plan.tags.all(a, plan.tags.all(b, plan.tags.all(c, a == c)))",
        "plan.tags.all(a, plan.tags . // a )\n all (b, [plan.tags.exists(c, a == c)] == []))",
        'r"\\".map(a, "".map(b, "".map(c, a)))',
        "(" * 5000 + "1" + ")" * 5000,
        "1" + " + 1" * LONGEST,
    ],
)
def test_an_expression_that_may_never_end_is_refused(text: str) -> None:
    assert refused(text)


@pytest.mark.parametrize("text", ['"x.map(a, y.map(b, z.map(c, d" == ""', "'\\')}' == '' // ))"])
def test_brackets_in_text_and_comments_are_no_brackets(text: str) -> None:
    assert value(text) is False


def test_a_value_that_cel_does_not_know_is_told() -> None:
    with pytest.raises(NoAnswer, match="object"):
        Scope({"plan": object()})


def test_the_library_s_own_command_line_is_not_imported() -> None:
    code = (
        "import sys; from idp.rules import compile_rule; compile_rule('1 == 1', ());"
        "print(*sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"rich", "typer", "prompt_toolkit", "pygments"}.isdisjoint(run.stdout.split())
