"""Where environments run, as the platform file says it; mistakes have a place and a mend."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from idp.config.running import (
    Freeze,
    HealthSettings,
    Provisioner,
    Running,
    Target,
    moment,
    running,
    sections,
)
from idp.config.running_mistakes import mistakes
from idp.config.running_model import RunningModel

PLATFORM = """\
providers:
  previews:
    kind: local
    url: https://{name}.preview.example.com
    provisioners:
      - {type: s3, outputs: {bucket: "{environment}-{resource}"}}
      - {type: kafka/large, command: [provision-kafka], secret: [password]}
  laptop: {kind: local}
environments:
  idle_hours: 0
  authors: ["dependabot[bot]"]
  health: {passes: 2, every: 0.5, deadline: 60}
deploy:
  staging: {provider: previews}
  production:
    provider: previews
    after: staging
    production: true
    checks: true
    approval: [critical]
    freezes: [{begin: "2026-12-20", end: "2027-01-04", why: holidays}]
    health: {prometheus: "https://prometheus.example.com", query: up == 1}
"""


def settled(text: str) -> Running:
    data = yaml.safe_load(text) or {}
    assert list(mistakes(data)) == []
    return running(RunningModel.model_validate(data).model_dump(mode="json"))


def told(text: str) -> list[tuple[str, str, str]]:
    """Return what does not go together: the dotted path, what is wrong, what mends it."""
    found = mistakes(yaml.safe_load(text))
    return [(".".join(map(str, path)), what, mend) for path, what, mend in found]


def test_all_of_it_is_read() -> None:
    found = settled(PLATFORM)
    previews = found.providers["previews"]
    assert found.provider == "previews"
    assert (previews.kind, previews.url) == ("local", "https://{name}.preview.example.com")
    assert previews.provisioners == (
        Provisioner("s3", outputs={"bucket": "{environment}-{resource}"}),
        Provisioner("kafka", "large", command=("provision-kafka",), secret=("password",)),
    )
    assert found.providers["laptop"].provisioners == ()
    assert (found.ttl_hours, found.idle_hours) == (72, 0)
    assert found.authors == ("dependabot[bot]",)
    assert found.health == HealthSettings(2, 0.5, 60.0)
    assert list(found.targets) == ["staging", "production"]
    assert found.targets["production"] == Target(
        "production",
        "previews",
        after="staging",
        production=True,
        checks=True,
        approval=("critical",),
        freezes=(Freeze("2026-12-20", "2027-01-04", "holidays"),),
        health=HealthSettings(prometheus="https://prometheus.example.com", query="up == 1"),
    )


def test_a_platform_that_says_nothing_has_this_machine() -> None:
    assert settled("") == Running()


def test_a_platform_with_providers_of_its_own_has_no_target_by_itself() -> None:
    found = settled("providers: {cluster: {kind: local}}")
    assert (found.provider, found.targets) == ("cluster", {})


def test_it_is_shown_as_the_file_has_it() -> None:
    shown = sections(settled(PLATFORM))
    assert list(shown) == ["providers", "environments", "deploy"]
    assert shown["environments"]["idle_hours"] == 0
    assert shown["deploy"]["production"]["after"] == "staging"


@pytest.mark.parametrize(
    "text",
    [
        "providers: {a: {kind: docker}}",
        "providers: {a: {}}",
        "providers: {A_b: {kind: local}}",
        "providers: {a: {kind: local, url: 'https://example.com'}}",
        "providers: {a: {kind: local, url: 'https://{name}.{team}.example.com'}}",
        "providers: {a: {kind: local, url: 'ftp://{name}'}}",
        "providers: {a: {kind: local, url: 'https://u:p@{name}.example.com'}}",
        "providers: {a: {kind: local, provisioners: [{type: s3, outputs: {b: '{team}'}}]}}",
        "providers: {a: {kind: local, provisioners: [{type: a/b/c, command: [x]}]}}",
        "environments: {ttl_hours: 0}",
        "environments: {ttl_hours: true}",
        "environments: {health: {every: .nan}}",
        "environments: {health: {prometheus: prom}}",
        "environments: {health: {prometheus: 'http://[x'}}",
        "deploy: {a: {}}",
        "deploy: {a: {provider: local, freezes: [{begin: soon, end: '2026-01-01'}]}}",
        "deploy: {a: {provider: local, strategy: canary}}",
    ],
)
def test_what_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        RunningModel.model_validate(yaml.safe_load(text))


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (
            "environments: {provider: locl}",
            ("environments.provider", "there is no provider 'locl'", "did you mean 'local'?"),
        ),
        (
            "deploy: {a: {provider: cloud}}",
            ("deploy.a.provider", "there is no provider 'cloud'", "there are: local"),
        ),
        (
            "deploy: {aa: {provider: local, after: bb}}",
            ("deploy.aa.after", "there is no target 'bb'", "there are: aa"),
        ),
        (
            "deploy: {aa: {provider: local, after: aa}}",
            ("deploy.aa.after", "'aa' would wait for itself", "the first target has no `after`"),
        ),
        (
            "providers: {a: {kind: local, provisioners: [{type: s3}]}}",
            (
                "providers.a.provisioners.0",
                "supplies nothing",
                "give it one of `outputs` and `command`",
            ),
        ),
        (
            "providers: {a: {kind: local, provisioners: "
            "[{type: s3, outputs: {a: b}, secret: [c]}]}}",
            ("providers.a.provisioners.0.secret.0", "there is no output 'c'", "there are: a"),
        ),
        (
            "providers: {a: {kind: local, provisioners: "
            "[{type: s3, command: [a]}, {type: s3, command: [b]}]}}",
            (
                "providers.a.provisioners.1",
                "never counts: one before it is of the same type and class",
                "remove one",
            ),
        ),
        (
            "deploy: {x: {provider: local, freezes: [{begin: '2026-02-01', end: '2026-02-01'}]}}",
            ("deploy.x.freezes.0.end", "is not after its begin", "`end` is excluded"),
        ),
        (
            "environments: {health: {query: up}}",
            (
                "environments.health",
                "prometheus is missing",
                "`prometheus` and `query` go together",
            ),
        ),
        (
            "deploy: {x: {provider: local, health: {passes: 10, every: 10, deadline: 20}}}",
            (
                "deploy.x.health",
                "10 checks every 10 s take longer than 20 s",
                "raise the deadline",
            ),
        ),
    ],
)
def test_what_does_not_go_together_is_told(text: str, mistake: tuple[str, str, str]) -> None:
    assert told(text) == [mistake]


def test_two_targets_that_wait_for_each_other_are_both_told() -> None:
    text = "deploy: {aa: {provider: local, after: bb}, bb: {provider: local, after: aa}}"
    assert [path for path, _, _ in told(text)] == ["deploy.aa.after", "deploy.bb.after"]


KEYS = [
    *("kind", "provisioners", "type", "outputs", "command", "secret"),
    *("provider", "after", "health", "passes", "every", "deadline", "freezes", "begin", "end"),
    "strategy",
]
odd = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3)
    ),
    max_leaves=15,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(RunningModel.model_fields, odd)))
def test_values_of_any_type_are_refused_and_nothing_breaks(data: dict[str, Any]) -> None:
    found = list(mistakes(data))
    try:
        model = RunningModel.model_validate(data)
    except ValidationError:
        return
    if not found:
        assert running(model.model_dump(mode="json")).providers


def test_times_are_utc_where_they_name_no_zone() -> None:
    assert moment("2026-12-20") == datetime(2026, 12, 20, tzinfo=UTC)
    assert moment("2026-12-20T10:00+02:00") == datetime(2026, 12, 20, 8, tzinfo=UTC)
