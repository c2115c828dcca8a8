"""Logging in and out: where tokens are kept, whose they are, and that nobody sees them."""

from __future__ import annotations

import io
import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail
from keyring.errors import KeyringLocked, PasswordDeleteError

from idp.errors import IdpError, Interrupted, NotAllowed, RemoteFailed
from idp.forge.login import GRANT, device_flow
from idp.forge.place import Place

from ..service.stories import Run, idp
from ..service.terminal import Terminal
from .standin import Answer, StandIn


class Ring(KeyringBackend):
    """A keyring in memory."""

    priority = 1

    def __init__(self, *, locked: bool = False, forgets: bool = False) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = locked
        self.forgets = forgets

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked("locked")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if not self.forgets:
            self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.kept:
            raise PasswordDeleteError("not there")
        del self.kept[service, username]


@pytest.fixture(autouse=True)
def no_keyring() -> Iterator[None]:
    """Let no test reach the keyring of whoever runs it."""
    keyring.set_keyring(fail.Keyring())  # type: ignore[no-untyped-call]
    yield
    keyring.set_keyring(fail.Keyring())  # type: ignore[no-untyped-call]


@pytest.fixture
def ring() -> Ring:
    made = Ring()
    keyring.set_keyring(made)
    return made


@pytest.fixture
def alone(forge: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """A forge that idp is not logged in to yet."""
    monkeypatch.delenv("GH_ENTERPRISE_TOKEN")
    return forge


@pytest.fixture
def tokens(home: Path) -> Path:
    return home / "config" / "idp" / "tokens.json"


def login(monkeypatch: pytest.MonkeyPatch, token: str, *words: str) -> Run:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{token}\n"))
    run = idp("auth", "login", "--with-token", *words)
    assert not token or token not in run.out + run.err
    return run


def test_a_token_is_kept_in_the_keyring(
    alone: StandIn, ring: Ring, tokens: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = login(monkeypatch, alone.token)
    assert (run.code, run.out) == (0, f"logged in to {alone.host} as pat\n")
    assert ring.kept == {("idp", alone.host): alone.token}
    assert alone.token not in tokens.read_text()
    told = json.loads(idp("auth", "status", "--json").out)
    assert told == [
        {
            "host": alone.host,
            "kind": "github",
            "state": "valid",
            "is_platform": True,
            "login": "pat",
            "origin": "keyring",
            "scopes": ["read:org", "repo", "workflow"],
            "found": "",
            "mend": "",
        }
    ]


def test_without_a_keyring_it_is_kept_only_where_one_asks_for_a_file(
    alone: StandIn, tokens: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = login(monkeypatch, alone.token)
    assert refused.code == 5
    assert "--insecure-storage" in refused.err
    assert not tokens.exists()
    assert alone.requests == []
    assert login(monkeypatch, alone.token, "--insecure-storage").code == 0
    assert stat.S_IMODE(tokens.stat().st_mode) == 0o600
    assert sorted(p.name for p in tokens.parent.iterdir()) == ["tokens.json", "tokens.lock"]
    run = idp("auth", "status")
    assert (run.code, str(tokens) in run.out) == (0, True)
    assert alone.token not in run.out + run.err


def test_a_refused_token_is_not_kept(
    alone: StandIn, tokens: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = login(monkeypatch, "ghp_wrong", "--insecure-storage")
    assert run.code == 4
    assert not tokens.exists()


@pytest.mark.parametrize(("token", "code"), [("", 2), ("two\nlines", 3)])
def test_what_is_no_token_is_refused(
    token: str, code: int, alone: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert login(monkeypatch, token, "--insecure-storage").code == code
    assert alone.requests == []


def test_a_token_that_may_too_little_is_told(
    alone: StandIn, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone.scopes = "repo"
    assert login(monkeypatch, alone.token, "--json").json["missing"] == ["workflow", "read:org"]
    assert "workflow, read:org" in login(monkeypatch, alone.token).err


def test_a_variable_that_is_taken_first_is_told(
    forge: StandIn, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "GH_ENTERPRISE_TOKEN has a token" in login(monkeypatch, forge.token).err
    run = idp("auth", "logout")
    assert (run.code, ring.kept) == (0, {})
    assert "still a token" in run.err
    assert "GH_ENTERPRISE_TOKEN" in run.err


@pytest.mark.parametrize("words", [[], ["--insecure-storage"]])
def test_logging_out_leaves_nothing(
    words: list[str],
    alone: StandIn,
    ring: Ring,
    tokens: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    login(monkeypatch, alone.token, *words)
    told = idp("auth", "logout", alone.host, "--json").json
    assert told == {"host": alone.host, "removed": True, "still": ""}
    assert ring.kept == {}
    assert alone.token not in tokens.read_text()
    run = idp("auth", "status")
    assert (run.code, f"idp auth login {alone.host}" in run.out) == (4, True)
    assert idp("auth", "logout", "--json").json["removed"] is False


def test_a_stored_login_is_listed_and_removed_whatever_the_platform_is_now(
    alone: StandIn, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    login(monkeypatch, alone.token)
    monkeypatch.delenv("IDP_PLATFORM")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    hosts = {
        row["host"]: row["is_platform"] for row in json.loads(idp("auth", "status", "--json").out)
    }
    assert hosts == {"github.com": True, alone.host: False}
    assert idp("auth", "logout", alone.host, "--json").json["removed"] is True


def test_a_refused_token_names_its_variable(
    forge: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GH_ENTERPRISE_TOKEN", "ghp_old")
    run = idp("auth", "status", "--json")
    [told] = json.loads(run.out)
    assert (run.code, told["state"]) == (4, "refused")
    assert told["mend"] == f"unset GH_ENTERPRISE_TOKEN && idp auth login {forge.host}"
    assert "ghp_old" not in run.out


def test_a_variable_without_its_host_is_told_as_the_reason(
    forge: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GH_HOST")
    [told] = json.loads(idp("auth", "status", "--json").out)
    assert told["state"] == "absent"
    assert "GH_ENTERPRISE_TOKEN is set, but GH_HOST does not say" in told["found"]


def test_a_forge_that_is_out_of_reach_leaves_the_token_unchecked(
    forge: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "p.yaml").write_text("version: 1\nforge: {url: 'https://127.0.0.1:1'}\n")
    monkeypatch.setenv("GH_HOST", "127.0.0.1:1")
    run = idp("--platform", tmp_path / "p.yaml", "auth", "status", "--json")
    assert (run.code, json.loads(run.out)[0]["state"]) == (0, "unchecked")


def test_a_locked_keyring_is_told(
    alone: StandIn, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    login(monkeypatch, alone.token)
    ring.locked = True
    [told] = json.loads(idp("auth", "status", "--json").out)
    assert (told["state"], "unlock it" in told["mend"]) == ("absent", True)


def test_a_keyring_that_forgets_is_noticed(
    alone: StandIn, ring: Ring, tokens: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring.forgets = True
    run = login(monkeypatch, alone.token)
    assert (run.code, json.loads(tokens.read_text())["hosts"]) == (4, {})


def test_a_keyring_that_is_locked_or_gone_keeps_one_from_logging_out(
    alone: StandIn, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    login(monkeypatch, alone.token)
    ring.locked = True
    assert idp("auth", "logout").code == 4
    keyring.set_keyring(fail.Keyring())  # type: ignore[no-untyped-call]
    run = idp("auth", "logout")
    assert (run.code, "cannot be reached" in run.err) == (4, True)
    ring.locked = False
    keyring.set_keyring(ring)
    assert (idp("auth", "logout").code, ring.kept) == (0, {})


def test_a_token_is_kept_in_one_place_only(
    alone: StandIn, ring: Ring, tokens: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    login(monkeypatch, alone.token, "--insecure-storage")
    tokens.with_suffix(".part").write_text("left by one that was killed")
    login(monkeypatch, alone.token)
    assert alone.token not in "".join(p.read_text() for p in tokens.parent.iterdir())
    assert ring.kept == {("idp", alone.host): alone.token}
    login(monkeypatch, alone.token, "--insecure-storage")
    assert ring.kept == {}


@pytest.mark.parametrize("text", ["{", '{"version": 2, "hosts": {}}', '{"version": 1, "hosts": 1}'])
def test_a_damaged_file_of_logins_is_told_without_its_words(
    text: str, alone: StandIn, tokens: Path
) -> None:
    tokens.parent.mkdir(parents=True)
    tokens.write_text(text)
    run = idp("auth", "status")
    assert (run.code, f"rm {tokens}" in run.err) == (3, True)


# The device flow


def test_a_person_logs_in_with_a_code_in_the_browser(alone: StandIn, ring: Ring) -> None:
    asked = {"device_code": "dev-1", "user_code": "WDJB-MJHT", "interval": 0, "expires_in": 900}
    asked["verification_uri"] = f"{alone.url}/login/device"
    granted = {"access_token": alone.token, "token_type": "bearer", "scope": "repo"}
    alone.fail("POST", "/login/device/code", Answer(200, asked))
    alone.fail("POST", "/login/oauth/access_token", Answer(200, {"error": "authorization_pending"}))
    alone.fail("POST", "/login/oauth/access_token", Answer(200, granted))
    run = idp("auth", "login", "--client-id", "Ov23", "--quiet")
    assert run.code == 0
    assert f"open {alone.url}/login/device and type the code WDJB-MJHT" in run.err
    assert ring.kept == {("idp", alone.host): alone.token}
    assert alone.token not in run.out + run.err


def test_without_an_oauth_app_the_other_ways_are_told(alone: StandIn, ring: Ring) -> None:
    run = idp("auth", "login")
    assert run.code == 4
    assert "forge.client_id in the platform file, or --client-id" in run.err
    assert f"gh auth login --hostname {alone.host}" in run.err
    assert f"idp auth login {alone.host} --with-token < token.txt" in run.err


@pytest.mark.parametrize("named", ["platform", "variable"])
def test_the_oauth_app_may_be_named_by(
    named: str, alone: StandIn, ring: Ring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if named == "platform":
        with (tmp_path / "idp-platform.yaml").open("a") as file:
            file.write("  client_id: Ov23\n")
    else:
        monkeypatch.setenv("IDP_GITHUB_CLIENT_ID", "Ov23")
    alone.fail("POST", "/login/device/code", Answer(200, {"error": "device_flow_disabled"}))
    run = idp("auth", "login")
    assert run.code == 4
    assert "client id Ov23 no login: the device flow is not enabled" in run.err


def test_without_an_oauth_app_a_person_is_asked_for_a_token(alone: StandIn, tokens: Path) -> None:
    run = Terminal("auth", "login", "--insecure-storage")
    run.answer(f"token for {alone.host}: ", f"{alone.token}\n")
    assert run.end() == 0, run.screen
    assert alone.token in tokens.read_text()
    assert alone.token not in run.screen


@pytest.mark.parametrize(
    ("host", "page"),
    [
        ("github.com", "https://github.com/settings/tokens/new?scopes=repo,workflow,read:org"),
        ("gitlab.com", "https://gitlab.com/-/user_settings/personal_access_tokens?scopes=api"),
        ("codeberg.org", "https://codeberg.org/user/settings/applications"),
    ],
)
def test_a_person_reads_where_a_token_is_made(host: str, page: str) -> None:
    run = Terminal("auth", "login", host, "--insecure-storage")
    run.answer(f"token for {host}: ", "\x04")
    assert run.end() == 130
    assert page in run.seen


@pytest.mark.parametrize("host", ["gitlab.com", "https://gitlab.com", "GitLab.com/"])
def test_a_host_may_be_written_as_its_address(host: str) -> None:
    assert idp("auth", "logout", host, "--json").json["host"] == "gitlab.com"


def test_a_closed_standard_input_holds_no_token(alone: StandIn) -> None:
    words = f"exec {sys.executable} -m idp auth login --with-token --insecure-storage <&-"
    done = subprocess.run(["sh", "-c", words], capture_output=True, text=True)
    assert (done.returncode, "no token came in" in done.stderr) == (2, True)


def test_gitlab_has_no_login_in_the_browser_here(ring: Ring) -> None:
    run = idp("auth", "login", "gitlab.com", "--client-id", "Ov23")
    assert run.code == 4
    assert "glab auth login --hostname gitlab.com" in run.err


class Clock:
    """A clock that stands still, but for sleep; it remembers each."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=sum(self.slept))

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


ASKED = {
    "device_code": "dev-1",
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://github.com/login/device",
    "expires_in": 60,
    "interval": 5,
}
PENDING = {"error": "authorization_pending"}
TOKEN = {"access_token": "gho_1", "token_type": "bearer", "scope": "repo"}


class GitHub:
    """Answers of GitHub's device flow, one after the other; the last one again and again."""

    def __init__(self, *answers: dict[str, Any] | Exception, asked: Any = ASKED) -> None:
        self.answers = list(answers)
        self.asked = asked
        self.bodies: list[dict[str, str]] = []
        self.clock = Clock()
        self.told: list[str] = []

    def handle(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["Accept"] == "application/json"
        self.bodies.append(json.loads(request.content))
        if request.url.path == "/login/device/code":
            return httpx.Response(404 if "error" in self.asked else 200, json=self.asked)
        said = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(said, Exception):
            raise said
        return httpx.Response(200, json=said)

    def login(self) -> str:
        place, transport = Place("github.com", "github"), httpx.MockTransport(self.handle)
        scopes = ("repo", "read:org")
        return device_flow(place, "Ov23", scopes, self.clock, self.told.append, transport)


def test_the_flow_asks_for_the_scopes_and_waits_between_its_questions() -> None:
    github = GitHub(PENDING, PENDING, TOKEN)
    assert github.login() == "gho_1"
    assert github.clock.slept == [5, 5, 5]
    assert github.told == ["open https://github.com/login/device and type the code WDJB-MJHT"]
    poll = {"client_id": "Ov23", "device_code": "dev-1", "grant_type": GRANT}
    assert github.bodies == [{"client_id": "Ov23", "scope": "repo read:org"}, poll, poll, poll]


@pytest.mark.parametrize(("slow_down", "then"), [({"interval": 12}, 12), ({}, 10)])
def test_it_slows_down_when_it_is_told_to(slow_down: dict[str, int], then: int) -> None:
    github = GitHub({"error": "slow_down", **slow_down}, PENDING, TOKEN)
    github.login()
    assert github.clock.slept == [5, then, then]


def test_a_lost_answer_is_asked_for_again_more_slowly() -> None:
    github = GitHub(httpx.ReadError("lost"), TOKEN)
    assert github.login() == "gho_1"
    assert github.clock.slept == [5, 10]


END: list[tuple[GitHub, type[IdpError], str]] = [
    (GitHub({"error": "access_denied"}), Interrupted, "was denied in the browser"),
    (GitHub({"error": "expired_token"}), NotAllowed, "was not used in time"),
    (GitHub(PENDING), NotAllowed, "was not used in time"),
    (GitHub({"error": "incorrect_device_code"}), NotAllowed, "incorrect_device_code"),
    (GitHub(TOKEN, asked={"error": "Not Found"}), NotAllowed, "no OAuth app with this client id"),
    (
        GitHub(TOKEN, asked={**ASKED, "verification_uri": "https://evil.example/login/device"}),
        RemoteFailed,
        "sends us to another host",
    ),
]


@pytest.mark.parametrize(("github", "error", "words"), END)
def test_the_flow_ends(github: GitHub, error: type[IdpError], words: str) -> None:
    with pytest.raises(error, match=words):
        github.login()
    assert sum(github.clock.slept) <= 60
