"""Placeholders are filled from what resources give, once; what stands for nothing is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.errors import InvalidInput
from idp.workload.model import Workload
from idp.workload.placeholders import fill, filled, in_order, needs, params, parts

from .stories import HEAD, workload

TEXT = (
    HEAD
    + """\
  annotations: {example.com/zone: north}
containers:
  main:
    image: .
    variables:
      DB: postgres://${resources.db.username}@${resources.db.host}/${metadata.name}
      ZONE: ${metadata.annotations.example\\.com/zone}
      LITERAL: a$${b}$c${
    files:
      /a: {content: "host=${resources.db.host}"}
      /b: {content: "${anything}", noExpand: true}
    volumes:
      /data: {source: "${resources.data}"}
resources:
  route:
    type: route
    params: {host: "${resources.dns.host}", port: 80, paths: ["/${metadata.name}"]}
  dns: {type: dns}
  db: {type: postgres}
  data: {type: volume}
"""
)
OUTPUTS = {"db": {"host": "h", "username": "${x}"}, "dns": {"host": "shop.example.com"}}


@pytest.fixture
def shop(tmp_path: Path) -> Workload:
    return workload(tmp_path, TEXT)


def test_everything_is_filled_and_what_is_filled_in_is_no_placeholder(shop: Workload) -> None:
    done = filled(shop, OUTPUTS)
    (main,) = done.containers
    assert main.variables == {
        "DB": "postgres://${x}@h/shop",
        "ZONE": "north",
        "LITERAL": "a${b}$c${",
    }
    assert [file.text for file in main.files] == ["host=h", "${anything}"]
    assert main.mounts[0].source == "data"
    assert done.resources[0].params == {"host": "shop.example.com", "port": 80, "paths": ["/shop"]}


def test_what_a_workload_needs_is_known_before(shop: Workload) -> None:
    assert needs(shop) == {("db", "host"), ("db", "username"), ("dns", "host")}


def test_resources_come_after_those_that_their_params_use(shop: Workload) -> None:
    names = [one.name for one in in_order(shop)]
    assert sorted(names) == ["data", "db", "dns", "route"]
    assert names.index("dns") < names.index("route")
    route = shop.resources[0]
    assert params(route, shop, {"dns": {"host": "x"}})["host"] == "x"
    with pytest.raises(InvalidInput, match=r"resources.route.params.host: .*no output 'host'"):
        params(route, shop, {})


def test_every_output_that_is_not_there_is_told(shop: Workload) -> None:
    with pytest.raises(InvalidInput) as caught:
        filled(shop, {"db": {"hosts": "h", "username": "u"}, "dns": {"host": "x"}})
    assert caught.value.details == (
        "containers.main.variables.DB: ${resources.db.host}: 'db' (postgres) has no output "
        "'host' (did you mean 'hosts'?)",
        "containers.main.files[\"/a\"].content: ${resources.db.host}: 'db' (postgres) has no "
        "output 'host' (did you mean 'hosts'?)",
    )


@given(st.text("${}a.\\"))
def test_a_text_whose_dollars_are_doubled_before_braces_is_itself(text: str) -> None:
    plain = Workload("shop", ())
    if "${" not in text:
        assert fill(text, plain, {}) == text
    assert fill(text.replace("${", "$${"), plain, {}) == text


@given(st.text("${}a."))
def test_a_text_is_read_from_the_left(text: str) -> None:
    as_written = re.sub(
        r"\$\$\{|\$\{([^}]*)\}",
        lambda found: f"<{found[1]}>" if found[1] is not None else "${",
        text,
    )
    read = [part if isinstance(part, str) else f"<{part.written}>" for part in parts(text)]
    assert "".join(read) == as_written


def test_resources_that_wait_for_each_other_are_told(tmp_path: Path) -> None:
    circle = (
        HEAD
        + """\
containers: {main: {image: .}}
resources:
  aa: {type: dns, params: {of: "${resources.bb.host}"}}
  bb: {type: dns, params: {of: "${resources.aa.host}"}}
"""
    )
    with pytest.raises(InvalidInput, match=r"each other's outputs in their params: .*aa → ") as e:
        workload(tmp_path, circle)
    assert e.value.message.startswith("score.yaml:5:1: ")
