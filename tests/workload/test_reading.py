"""A score.yaml is read whole, or every mistake in it is told with its place and its mend."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest

from idp.errors import InvalidInput, NotFound
from idp.workload.model import Amounts, Check, Container, File, HttpGet, Mount, Port, Resource
from idp.workload.reading import read, read_with_places

from .stories import HEAD, MAIN, official, refused, workload


def test_the_full_sample_is_read_whole() -> None:
    found = read(official("score-full.yaml"))
    one, two = found.containers
    assert found.name == "example-workload-name123"
    assert found.ports == (Port("port-one", 1000, 10000), Port("port-two2", 8000, 8000))
    assert (one.command, one.args) == (("/bin/sh", "-c"), ("hello", "world"))
    assert one.requests == Amounts(Decimal(1), Decimal(10 * 2**30))
    assert one.limits == Amounts(Decimal("0.24"), Decimal(128_000_000))
    assert one.files == (
        File("/my/file", mode="0600", source="file.txt"),
        File("/my/other/file", text="some multiline\ncontent\n"),
        File("/my/other/binaryfile", data=b"\x000`\xc2\x90"),
    )
    assert one.mounts[0] == Mount("/mnt/something", "volume-name", "/sub/path")
    assert one.liveness == Check(
        HttpGet("/livez", 8080), ("/bin/curl", "-f", "http://localhost:8080/livez")
    )
    assert one.readiness and one.readiness.http
    assert one.readiness.http.headers == {"SOME_HEADER": "some-value-here"}
    assert two == Container("container-two2", ".")
    assert found.resources[0] == Resource(
        "resource-one1", "Resource-One", "default", params={"extra": {"data": "here"}}
    )
    assert found.resources[2].id == "shared-type-three"
    assert found.extra == ("metadata.extra-key", "resources.resource-one1.metadata")


def test_the_deprecated_lists_are_read_too() -> None:
    (main,) = read(official("score-deprecated-files-and-volumes.yaml")).containers
    assert main.files == (File("/mnt/some-path", text="my content here"),)
    assert main.mounts == (Mount("/mnt/vol", "some-volume"),)


def test_annotations_say_how_it_is_run_without_containers(tmp_path: Path) -> None:
    notes = """\
  annotations:
    idp.dev/build: make
    idp.dev/run: ./serve --port $PORT ${HOME}
    idp.dev/manifests: k8s/
"""
    one = workload(tmp_path, HEAD + notes + MAIN)
    assert (one.build, one.manifests) == ("make", "k8s/")
    assert one.containers[0].run == one.run == "./serve --port $PORT ${HOME}"
    several = notes + '    idp.dev/run.worker: "./work"\n' + MAIN + "  worker: {image: .}\n"
    main, worker = workload(tmp_path, HEAD + several).containers
    assert (main.run, worker.run) == ("", "./work")


def test_the_line_of_everything_is_known(tmp_path: Path) -> None:
    (tmp_path / "score.yaml").write_text(HEAD + MAIN)
    placed = read_with_places(tmp_path / "score.yaml", "score.yaml")
    assert placed.at(("containers", "main", "image")) == "score.yaml:6"
    assert placed.at(("metadata",), key=True) == "score.yaml:2"


SCHEMA_MISTAKES = """\
apiVersion: score.dev/v1b2
metadata: {name: Shop}
contaners: {}
service:
  ports:
    web: {port: "80", protocol: tcp}
containers:
  main:
    image: ""
    comand: [a]
    args: -v
    variables: {PORT: 8080}
    files:
      /a: {target: /b, content: x, source: y}
      /c: {mode: 600}
    volumes: {/data: {readOnly: 1}}
    resources: {limits: {cpu: 1 CPU, memory: 0}}
    livenessProbe: {}
resources:
  db: {}
"""


def test_every_mistake_is_told_at_once_with_its_mend(tmp_path: Path) -> None:
    assert refused(tmp_path, SCHEMA_MISTAKES) == [
        "score.yaml:1:13: apiVersion: 'score.dev/v1b2' cannot stand here "
        "(apiVersion: score.dev/v1b1)",
        "score.yaml:2:18: metadata.name: 'Shop' cannot stand here "
        "(2 to 63 of a-z, 0-9 and -, with no - at an end)",
        "score.yaml:3:1: contaners: is not known here (did you mean 'containers'?)",
        "score.yaml:6:17: service.ports.web.port: must be a whole number from 1 to 65535, "
        "not '80' (without quotes)",
        "score.yaml:6:33: service.ports.web.protocol: must be TCP or UDP, not 'tcp' "
        "(there are: TCP, UDP)",
        "score.yaml:9:12: containers.main.image: is empty "
        "(`.` is the image that is built from this folder)",
        "score.yaml:10:5: containers.main.comand: is not known here (did you mean 'command'?)",
        "score.yaml:11:11: containers.main.args: must be a list, not '-v' "
        "(write it as a list: [-v])",
        "score.yaml:12:23: containers.main.variables.PORT: must be a text, not the number 8080 "
        "(put it in quotes)",
        'score.yaml:14:11: containers.main.files["/a"]: has content and source '
        "(give it one of content, binaryContent, source)",
        'score.yaml:14:12: containers.main.files["/a"].target: target does not stand here '
        "(the key above is the target already)",
        'score.yaml:15:11: containers.main.files["/c"]: holds nothing '
        "(give it one of content, binaryContent, source)",
        'score.yaml:15:18: containers.main.files["/c"].mode: must be a text, not the number 600 '
        "(put it in quotes)",
        'score.yaml:16:22: containers.main.volumes["/data"].source: is missing (add source)',
        'score.yaml:16:33: containers.main.volumes["/data"].readOnly: must be true or false, '
        "not the number 1",
        "score.yaml:17:31: containers.main.resources.limits.cpu: '1 CPU' cannot stand here "
        "(like 100m or 0.5)",
        "score.yaml:17:46: containers.main.resources.limits.memory: must be a text, "
        "not the number 0 (put it in quotes)",
        "score.yaml:18:20: containers.main.livenessProbe: holds nothing (give it httpGet or exec)",
        "score.yaml:20:7: resources.db.type: is missing (add type)",
    ]


@pytest.mark.parametrize(
    ("inside", "told"),
    [
        ("files: [{content: x}]", "has no target"),
        ("files: {etc/a: {content: x}}", "'etc/a' is no place in a container"),
        ("files: {/a/../../b: {content: x}}", "is no place in a container"),
        ("volumes: {/: {source: data}}", "'/' is no place in a container"),
        ("files: [{target: /a, content: x}, {target: //a/, content: y}]", "is there twice"),
        ("files: {/a: {source: ../secret}}", "is no file of the service"),
        ("files: {/a: {source: /etc/passwd}}", "is no file of the service"),
        ("files: {/a: {binaryContent: ä}}", "is no base64"),
        ("files: {/a: {binaryContent: abc}}", "is no base64"),
        ("before: {mian: {ready: started}}", "there is no container 'mian'"),
        ("before: {main: {ready: started}}", "main would have to start before itself"),
        ("livenessProbe: {exec: {command: []}}", "is empty"),
        ('livenessProbe: {httpGet: {path: "/a b", port: 80}}', "characters that no URL has"),
        ("variables: {A: '${resources.dbb.host}'}", "did you mean 'db'?"),
        ("variables: {A: '${HOME}'}", "a plain ${ is written $${"),
        ("variables: {A: '${metadata.annotations.nope}'}", "no annotation 'nope'"),
        ("files: {/a: {content: '${}'}}", "is no placeholder of Score"),
        ("volumes: {/a: {source: '${resources.x}'}}", "there is no resource 'x'"),
        (r'variables: {A: "a\0b"}', "has a NUL in it"),
        (r'variables: {"A\0": b}', "has a NUL in its name"),
        (
            "livenessProbe: {httpGet: {path: /, port: 80, "
            'httpHeaders: [{name: X, value: "a\\nb"}]}}',
            "characters that no header has",
        ),
    ],
)
def test_what_the_schema_takes_and_nothing_can_run_is_told(
    tmp_path: Path, inside: str, told: str
) -> None:
    text = f"{HEAD}{MAIN}    {inside}\nresources:\n  db: {{type: postgres}}\n"
    (mistake,) = refused(tmp_path, text)
    assert told in mistake
    assert mistake.startswith("score.yaml:7:")


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("service: {ports: {aa: {port: 80}, bb: {port: 80}}}", "publishes 80/TCP, as aa does"),
        ("resources: {db: {type: pg, params: {size: .inf}}}", "is no number"),
        ("resources: {db: {type: pg, params: {a: '${resources.db.b}'}}}", "each other's outputs"),
        ("---\na: 1", "a second document begins here"),
        ("resources: &a {db: {type: pg, params: *a}}", "stands inside what it names"),
        ("apiVersion: score.dev/v1b1", "is there twice"),
        ("resources: [", "not YAML"),
        ("\tservice: 1", "not YAML"),
    ],
)
def test_what_else_is_wrong_is_told(tmp_path: Path, more: str, told: str) -> None:
    assert any(told in mistake for mistake in refused(tmp_path, f"{HEAD}{MAIN}{more}\n"))


@pytest.mark.parametrize(
    ("note", "told"),
    [
        ("idp.dev/run.mian: ./a", "did you mean 'main'?"),
        ("idp.dev/manifests: ../../k8s", "is no folder of the service"),
        ("idp.dev/manifests: /etc", "is no folder of the service"),
    ],
)
def test_annotations_of_our_own_are_held_to_the_file(tmp_path: Path, note: str, told: str) -> None:
    (mistake,) = refused(tmp_path, f"{HEAD}  annotations:\n    {note}\n{MAIN}")
    assert mistake.startswith("score.yaml:5:")
    assert told in mistake


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no file"):
        read(tmp_path / "score.yaml")
    with pytest.raises(InvalidInput, match="cannot read"):
        read(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidInput, match="no plain file"):
        read(tmp_path / "pipe")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"# nothing\n",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b"{a: " * 100_000,
        b"a: " + b"x" * 2**21,
        b"- 1",
        b"null",
        b"!!python/object/apply:os.system [ls]",
        b"a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: [" + b"*c," * 99 + b"]",
        b"? [a, b]\n: c",
        b"apiVersion: [score.dev/v1b1]\nmetadata: x\ncontainers: []\nservice: 3\nresources: ~",
        b"\x00\x01",
    ],
    ids=range(13),
)
def test_whatever_is_thrown_at_it_is_refused_in_words(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "score.yaml").write_bytes(data)
    with pytest.raises(InvalidInput) as caught:
        read(tmp_path / "score.yaml", "score.yaml")
    assert "score.yaml" in caught.value.message
    assert sum(map(len, caught.value.details)) < 10_000


def test_a_file_of_mistakes_alone_is_not_told_to_its_end(tmp_path: Path) -> None:
    told = refused(tmp_path, HEAD + MAIN + "".join(f"x{n}: 1\n" for n in range(1000)))
    assert told[-1] == "and 950 more"


@pytest.mark.parametrize(
    "inside",
    [
        "command: &a [" + "a," * 15_000 + "]\n    args: *a",
        "variables:\n      A: &a '" + "x" * 500_000 + "'\n      B: *a\n      C: *a",
        "variables: {A: '" + "${resources.a.b}" * 65_000 + "'}",
        "command: [" + "a," * 400_000 + "]",
    ],
    ids=["aliases of many", "aliases of much", "one text", "a list"],
)
def test_a_file_that_grows_or_is_no_workload_is_refused_early(tmp_path: Path, inside: str) -> None:
    (told,) = refused(tmp_path, f"{HEAD}{MAIN}    {inside}\n")
    assert "says more than any workload does" in told or "there is no resource" in told


def test_a_long_text_is_told_in_short(tmp_path: Path) -> None:
    (told,) = refused(
        tmp_path, f"{HEAD}{MAIN}    variables: {{A: '${{resources.{'x' * 9999}}}'}}\n"
    )
    assert len(told) < 500


def test_what_drives_a_terminal_is_told_and_nothing_breaks(tmp_path: Path) -> None:
    text = f'{HEAD}{MAIN}    variables: {{"A\\e[31m\\u202e": "${{resources.\\e[2J}}"}}\n'
    (told,) = refused(tmp_path, text)
    assert "there is no resource '\\x1b[2J'" in told
