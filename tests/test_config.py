"""The configuration files: what is read, what is refused, and where each value comes from."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml
from pytest_snapshot.plugin import Snapshot  # type: ignore[import-untyped]

from idp.config import (
    EMBEDDED,
    Platform,
    ProtectionRules,
    UserConfig,
    explain,
    load_platform,
    load_user_config,
    locate_platform,
)
from idp.config.source import Source, parse_source
from idp.errors import InvalidInput

ROOT = Path(__file__).parent.parent
SCHEMA = ROOT / "docs" / "schemas" / "idp-platform.schema.json"

PLATFORM = b"""\
version: 1
name: acme
templates:
  python-api:
    source: idp:python-api
  worker:
    source: https://git.example.com/t.git@v1.2.0#worker
    description: A queue worker
    deprecated: use python-api
    trusted: false
defaults:
  owner: team-platform
forge:
  kind: gitlab
  url: https://git.example.com
  owner: acme/services
  teams: {platform: admin}
  topics: [golden-path]
  protection: {reviews: 2, checks: [Lint and test]}
"""

MISTAKES = b"""\
version: 1
nmae: acme
name: on
templates:
  Bad_Name:
    source: idp:python-api
  worker:
    sorce: https://git.example.com/t.git
    trusted: yes
  plain:
    source: http://git.example.com/t.git
  web:
    source: idp:web
  web:
    source: https://bob:secret@git.example.com/t.git
    deprecated: ""
  old: [1, 2]
  1: {source: -x}
defaults:
  type: wrker
  owner: &a 12
  ownr: *a
"""


def platform(text: bytes, cache_dir: Path | None = None) -> Platform:
    return load_platform(text, "idp-platform.yaml", cache_dir)


def refused(text: bytes) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        platform(text)
    return caught.value


def user(folder: Path, text: str) -> UserConfig:
    path = folder / "config.yaml"
    path.write_text(text)
    return load_user_config(path, None)


def origins(*rows: object) -> dict[str, tuple[object, str]]:
    return {row.key: (row.value, row.origin) for row in rows}  # type: ignore[attr-defined]


def test_a_platform_file_is_read_into_typed_data() -> None:
    acme = platform(PLATFORM)
    worker = acme.templates["worker"]
    assert (acme.name, acme.defaults.owner, acme.defaults.type) == ("acme", "team-platform", None)
    assert worker.source == "https://git.example.com/t.git@v1.2.0#worker"
    assert (worker.deprecated, worker.trusted) == ("use python-api", False)
    assert acme.templates["python-api"].trusted
    assert acme.lines["templates.worker.trusted"] == 10


def test_every_mistake_is_told_at_once_with_its_place_and_what_mends_it(snapshot: Snapshot) -> None:
    error = refused(MISTAKES)
    told = [error.message, f"hint: {error.hint}", *error.details]
    snapshot.assert_match("\n".join(told) + "\n", "mistakes.txt")
    assert error.exit_code == 3


def test_a_single_mistake_is_the_message_itself() -> None:
    error = refused(b"version: 1\ntemplate: {}\n")
    assert error.message == "idp-platform.yaml:2:1: template: unknown key"
    assert error.hint == "did you mean 'templates'?"
    assert error.details == ()


def test_a_later_version_is_refused_without_a_word_about_its_new_keys() -> None:
    error = refused(b"version: 2\nteams: {}\n")
    assert error.message.startswith("idp-platform.yaml:1:10: version 2 is not known to this idp")
    assert "update idp" in error.hint


@pytest.mark.parametrize("text", [b"", b"# nothing yet\n", b"name: acme\n"])
def test_a_file_without_a_version_is_told_how_to_state_one(text: bytes) -> None:
    error = refused(text)
    assert "version: this key is missing" in error.message
    assert "`version: 1`" in error.hint


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"version: true", "1:10: version: must be a whole number, not `true`"),
        (b"version: 1.0", "1:10: version: must be a whole number, not `1.0`"),
        (b"version: '1'", "1:10: version: must be a whole number, not text"),
        (b"version: 1\nname: 0o17", "2:7: name: must be text, not `15`"),
        (b"version: 1\nname: " + b"9" * 5000, "2:7: name: must be text, not `Infinity`"),
        (b"version: 1\nname: !!str x", "2:7: the tag 'tag:yaml.org,2002:str' is not read here"),
        (b"version: 1\ndefaults:", "2:10: defaults: must be a mapping, not empty"),
        (b"version: 1\n---\nversion: 1", "2:1: a second document begins here"),
        (b"version: 1\nname: [", "3:1: not YAML: did not find expected node content"),
        (b"version: 1\nname: \xff", "2:1: not text: invalid leading UTF-8 octet"),
        # PyYAML's own composer dies of this one with a segmentation fault.
        (b"[" * 200_000, "1:52: nested deeper than 50 levels"),
    ],
)
def test_what_is_not_quite_yaml_or_of_another_kind_is_placed(text: bytes, told: str) -> None:
    assert refused(text).message == f"idp-platform.yaml:{told}"


def test_yes_no_on_and_dates_are_text_and_only_true_and_false_are_not() -> None:
    assert platform(b"version: 1\nname: no").name == "no"
    assert platform(b"version: 1\nname: 2026-01-02").name == "2026-01-02"
    assert platform(b"version: 1\nname: '7'").name == "7"
    text = b"version: 1\ntemplates: {t: {source: ./t, trusted: False}}"
    assert platform(text).templates["t"].trusted is False


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("https://h/o/r.git@v1.2.0#a/b", Source("https://h/o/r.git", "v1.2.0", "a/b")),
        ("https://h/o/r@feature/x", Source("https://h/o/r", "feature/x")),
        ("ssh://git@h/o/r.git", Source("ssh://git@h/o/r.git")),
        ("git@h:o/r.git@v1", Source("git@h:o/r.git", "v1")),
        ("idp:python-api@1.0.0", Source("idp:python-api", "1.0.0")),
        ("/home/a@b/my templates@v1", Source("/home/a@b/my templates", "v1")),
        ("./t#sub", Source("./t", None, "sub")),
        ("https://h", Source("https://h")),
    ],
)
def test_a_source_is_taken_apart(text: str, source: Source) -> None:
    assert parse_source(text) == source
    assert source.is_path == (text[0] in "./")


def test_a_forge_is_read_and_what_is_not_said_is_a_default() -> None:
    forge = load_platform(PLATFORM, "idp-platform.yaml", None).forge

    assert (forge.kind, forge.url, forge.owner) == (
        "gitlab",
        "https://git.example.com",
        "acme/services",
    )
    assert (forge.teams, forge.topics) == ({"platform": "admin"}, ("golden-path",))
    assert forge.protection == ProtectionRules(reviews=2, checks=("Lint and test",))
    assert (forge.visibility, forge.owner_role) == ("private", "maintain")


@pytest.mark.parametrize(
    "url",
    [
        "http://git.example.com",
        "git.example.com",
        "https://pat:secret@git.example.com",
        "https://git.example.com/git",
    ],
)
def test_a_forge_is_reached_by_https_and_at_the_top_of_its_host(url: str) -> None:
    text = f"version: 1\nforge:\n  url: {url}\n".encode()

    error = refused(text)

    assert "3:8: forge.url: not the address of a forge" in error.message
    assert "secret" not in error.message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "./t@",
        "./t#",
        "-oProxyCommand=x",
        "./t@--upload-pack=x",
        "./t#../../etc",
        "./t#/etc",
        "./t\n",
        "http://h/r.git",
        "ext::sh -c x",
        "https:///r.git",
        "https://[h/r.git",
        "https://token@h/r.git",
        "http://git:secret@h/r.git",
        " https://git:secret@h/r.git",
        "https://git:secret@\u2100h/r.git",
        "https://git:secret@h/r.git@",
        "ssh://git:secret@h/r.git",
        "ssh://-oProxyCommand=x/r.git",
        "git@-oProxyCommand=x:r.git",
        "idp:../x",
    ],
)
def test_a_source_that_could_do_harm_is_refused_without_telling_a_secret(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_source(text)
    assert not re.search("token|secret", caught.value.message)


def test_trust_covers_an_exact_url_or_what_lies_under_a_prefix(tmp_path: Path) -> None:
    me = user(tmp_path, "trust: ['https://h/ours/', 'https://g/t.git', 'git@h:ours/', /srv/t/]")
    assert me.trusts("https://h/ours/t.git")
    assert me.trusts("https://g/t.git")
    assert me.trusts("https://g/t.git#worker")
    assert not me.trusts("https://x/#https://h/ours/")
    assert me.trusts("git@h:ours/t.git")
    assert me.trusts("/srv/t/api")
    for url in ("https://h/ours", "https://h/oursX/t.git", "https://g/t.git2", "git@h:x/ours/"):
        assert not me.trusts(url)
    for dots in ("..", "%2e%2E", ".%2e", "x%2f..%2f.."):
        assert not me.trusts(f"https://h/ours/{dots}/theirs/t.git")
    assert not me.trusts("https://h/ours/..\\theirs")


@pytest.mark.parametrize(
    "prefix", ["https://", "h/ours/", "./t/", "https://h/../", "https://h/t@v1"]
)
def test_a_prefix_that_says_too_much_or_nothing_is_refused(tmp_path: Path, prefix: str) -> None:
    with pytest.raises(InvalidInput, match=r"config.yaml:1:9: trust\.0: "):
        user(tmp_path, f"trust: ['{prefix}']")


def test_a_platform_path_of_the_user_is_relative_to_the_users_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert user(tmp_path, "platform: ../acme").platform == f"{tmp_path}/../acme"
    assert user(tmp_path, "platform: ~/acme").platform == "/home/me/acme"
    assert user(tmp_path, "platform: /acme@v1").platform == "/acme@v1"
    assert user(tmp_path, "platform: https://h/p.git@v1").platform == "https://h/p.git@v1"


def test_a_missing_or_empty_user_file_says_nothing(tmp_path: Path) -> None:
    assert load_user_config(tmp_path / "none.yaml", None) == UserConfig()
    empty = user(tmp_path, "# platform: ~/acme\n")
    assert (empty.platform, empty.trust) == (None, ())
    with pytest.raises(InvalidInput, match="cannot read"):
        load_user_config(tmp_path, None)


def test_the_platform_is_found_by_flag_then_environment_then_user(tmp_path: Path) -> None:
    me = user(tmp_path, "trust: []\nplatform: /mine")
    environ = {"IDP_PLATFORM": "/env"}

    def found(flag: str | None, environ: dict[str, str], me: UserConfig) -> tuple[object, str]:
        where = locate_platform({"platform": flag}, environ, me)
        return (where.value, where.origin) if where else (None, "")

    assert found("/flag", environ, me) == ("/flag", "flag --platform")
    assert found(None, environ, me) == ("/env", "environment IDP_PLATFORM")
    assert found(None, {"IDP_PLATFORM": ""}, me) == ("/mine", f"{tmp_path}/config.yaml:2")
    assert found(None, {}, UserConfig()) == (None, "")


def test_explain_names_the_origin_of_every_value(tmp_path: Path) -> None:
    me = user(tmp_path, "defaults:\n  owner: me\n  type: worker\ntrust: ['https://h/']")
    rows = origins(*explain({"platform": "p.yaml", "type": None}, {}, me, platform(PLATFORM)))
    assert rows["platform"] == ("p.yaml", "flag --platform")
    assert rows["defaults.owner"] == ("team-platform", "idp-platform.yaml:12")
    assert rows["defaults.type"] == ("worker", f"{tmp_path}/config.yaml:3")
    assert rows["trust.0"] == ("https://h/", f"{tmp_path}/config.yaml:4")
    assert rows["templates.worker.trusted"] == (False, "idp-platform.yaml:10")
    assert rows["templates.python-api.trusted"] == (True, "default")
    assert list(rows) == sorted(rows)


def test_the_embedded_default_yields_to_the_user_and_the_user_to_a_flag(tmp_path: Path) -> None:
    assert origins(*explain({}, {}, UserConfig(), EMBEDDED))["defaults.type"] == (
        "python-api",
        "embedded default",
    )
    me = user(tmp_path, "defaults: {type: worker}")
    assert origins(*explain({}, {}, me, EMBEDDED))["defaults.type"][0] == "worker"
    flagged = origins(*explain({"type": "web"}, {}, me, EMBEDDED))
    assert flagged["defaults.type"] == ("web", "flag --type")


def test_a_second_load_imports_neither_pydantic_nor_yaml(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from idp.config import load_platform\n"
        f"load_platform({PLATFORM!r}, 'p.yaml', Path({str(tmp_path)!r}))\n"
        "print(*sorted({'pydantic', 'yaml'} & set(sys.modules)))"
    )
    runs = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert [run.stdout.strip() for run in runs] == ["pydantic yaml", ""]


def test_the_cache_knows_the_text_and_not_where_it_came_from(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = platform(PLATFORM, cache)
    moved = load_platform(PLATFORM, "elsewhere.yaml", cache)
    assert moved.templates == first.templates
    assert moved.origin == "elsewhere.yaml"
    assert platform(PLATFORM + b"\n", cache) == first
    assert len(list(cache.iterdir())) == 2


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"{}", b'{"data": {}, "lines": {}}', b"\xff"])
def test_a_damaged_cache_entry_is_written_anew(tmp_path: Path, damage: bytes) -> None:
    cache = tmp_path / "cache"
    first = platform(PLATFORM, cache)
    (entry,) = cache.iterdir()
    good = entry.read_bytes()
    entry.write_bytes(damage)
    assert platform(PLATFORM, cache) == first
    assert entry.read_bytes() == good


def test_a_file_with_mistakes_is_never_cached_and_a_cache_is_never_needed(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        platform(MISTAKES, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()
    (tmp_path / "file").write_text("a file where the folder should be")
    assert platform(PLATFORM, tmp_path / "file").name == "acme"


def test_the_published_schema_is_the_codes_and_agrees_with_it() -> None:
    subprocess.run([sys.executable, ROOT / "scripts" / "schemas.py", "--check"], check=True)
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
    assert validator.is_valid(yaml.safe_load(PLATFORM))
    for text in (b"version: 2", b"version: 1\nnmae: x", b"version: 1\ntemplates: {Bad_Name: {}}"):
        assert refused(text)
        assert not validator.is_valid(yaml.safe_load(text))


def test_the_examples_of_the_manual_are_valid(tmp_path: Path) -> None:
    manual = (ROOT / "docs" / "configuration.md").read_text()
    example, with_schema, mine = re.findall(r"```yaml\n(.*?)```", manual, re.DOTALL)
    assert len(platform(example.encode()).templates) == 4
    assert platform(with_schema.encode())
    assert user(tmp_path, mine).trusts("https://git.example.com/platform/worker.git")
