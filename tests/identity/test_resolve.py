"""Who acts: a token is believed if its issuer's own keys have signed it, for us and for now."""

from __future__ import annotations

import base64
import hmac
import json
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from idp.config.guardrails import IdentitySettings
from idp.errors import NotAllowed, RemoteFailed
from idp.identity import Identity, resolve
from idp.rest import Server

from ..clock import FakeClock

GITHUB = "https://token.actions.githubusercontent.com"
COMPANY = "https://login.example.com"
RUNNER = "https://runner.example.com/jobs/7/idtoken?api-version=2.0"
ACTIONS = {
    "ACTIONS_ID_TOKEN_REQUEST_URL": RUNNER,
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-the-runner",
}
RSA = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "two", "use": "sig"})
JOB = {
    "sub": "repo:acme/platform:ref:refs/heads/main",
    "repository": "acme/platform",
    "ref": "refs/heads/main",
    "workflow": "Requests",
    "run_id": "4711",
    "actor": "octocat",
}


def nobody() -> tuple[str, str] | None:
    return None


@dataclass
class World(httpx.BaseTransport):
    """Two issuers and GitHub's runner, as the network has them."""

    clock: FakeClock = field(default_factory=FakeClock)
    token: str = ""
    calls_itself: str = ""
    keys_at: str = ""
    is_down: bool = False
    asked: list[httpx.Request] = field(default_factory=list)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.is_down:
            raise httpx.ConnectError("no route to host", request=request)
        issuer = f"https://{request.url.host}"
        match request.url.path:
            case "/.well-known/openid-configuration" if issuer in (GITHUB, COMPANY):
                keys = self.keys_at or f"{issuer}/keys"
                about = {"issuer": self.calls_itself or issuer, "jwks_uri": keys}
                return httpx.Response(200, json=about)
            case "/keys":
                kept = [RSA.as_dict(private=False), EC.as_dict(private=False)]
                return httpx.Response(200, json={"keys": kept})
            case "/jobs/7/idtoken":
                return httpx.Response(200, json={"value": self.token})
        return httpx.Response(404, json={"message": "Not Found"})

    def reach(self, base: str, headers: Mapping[str, str]) -> Server:
        return Server(base, self.clock, headers, transport=self, hasty=True)

    def signed(self, issuer: str, key: Any = RSA, alg: str = "RS256", **changed: Any) -> str:
        now = int(self.clock.now().timestamp())
        said = {"iss": issuer, "aud": "idp", "iat": now, "exp": now + 300, **JOB, **changed}
        claims = {name: value for name, value in said.items() if value is not None}
        return jwt.encode({"alg": alg, "kid": key.kid}, claims, key, algorithms=[alg])

    def who(
        self,
        environ: Mapping[str, str],
        account: Callable[[], tuple[str, str] | None] = nobody,
        **settings: str,
    ) -> Identity:
        said = IdentitySettings(**settings)
        return resolve(environ, said, account, self.reach, self.clock)

    def by(self, token: str, issuer: str = COMPANY, **settings: str) -> Identity:
        return self.who({"IDP_ID_TOKEN": token}, nobody, issuer=issuer, **settings)


@pytest.fixture
def world() -> World:
    return World()


def part(data: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()


def test_a_job_of_github_is_who_github_says(world: World) -> None:
    world.token = world.signed(GITHUB)
    who = world.who(ACTIONS)
    assert (who.id, who.how) == (f"{GITHUB}#{JOB['sub']}", "oidc")
    assert who.is_verified
    assert who.claims == {name: JOB[name] for name in JOB if name != "sub"}


def test_the_runner_is_asked_for_our_audience_and_nobody_else_sees_its_secret(
    world: World,
) -> None:
    world.token = world.signed(GITHUB, aud="acme")
    world.who(ACTIONS, audience="acme")
    runner, *others = world.asked
    assert str(runner.url) == f"{RUNNER}&audience=acme"
    assert runner.headers["Authorization"] == "Bearer of-the-runner"
    assert [r.url.host for r in others] == ["token.actions.githubusercontent.com"] * 2
    assert not any("Authorization" in request.headers for request in others)


@pytest.mark.parametrize(("key", "alg"), [(RSA, "RS256"), (RSA, "PS256"), (EC, "ES256")])
def test_the_platforms_issuer_is_believed_by_the_claim_it_names(
    world: World, key: Any, alg: str
) -> None:
    token = world.signed(COMPANY, key, alg, email="pat@example.com")
    assert world.by(token, claim="email").id == f"{COMPANY}#pat@example.com"


def test_a_job_of_gitlab_is_known_by_its_project(world: World) -> None:
    token = world.signed(COMPANY, aud=["idp", "vault"], project_path="acme/platform", pipeline_id=7)
    claims = world.by(token).claims
    assert (claims["project_path"], claims["pipeline_id"]) == ("acme/platform", "7")


def test_a_token_given_counts_before_the_one_of_the_job(world: World) -> None:
    world.token = world.signed(GITHUB)
    environ = ACTIONS | {"IDP_ID_TOKEN": world.signed(COMPANY)}
    assert world.who(environ, issuer=COMPANY).id.startswith(COMPANY)


def test_githubs_job_is_named_by_its_subject_whatever_the_platforms_claim(world: World) -> None:
    world.token = world.signed(GITHUB, email="boss@example.com")
    assert world.who(ACTIONS, issuer=COMPANY, claim="email").id == f"{GITHUB}#{JOB['sub']}"


@pytest.mark.parametrize(
    ("changed", "said", "mend"),
    [
        ({"iss": "https://evil.example"}, "of https://evil.example", "identity.issuer"),
        ({"aud": "another"}, "made for 'another'", "audience idp"),
        ({"aud": None}, "lacks the claim aud", "identity.claim"),
        ({"exp": 1}, "expired", "take a new one"),
        ({"exp": None}, "lacks the claim exp", "identity.claim"),
        ({"exp": "never"}, "does not hold", "take a new token"),
        ({"nbf": 99999999999}, "not yet valid", "clock"),
        ({"iat": 99999999999}, "issued in the future", "clock"),
        ({"sub": None}, "lacks the claim sub", "identity.claim"),
        ({"sub": ""}, "lacks the claim sub", "identity.claim"),
    ],
)
def test_what_does_not_hold_is_refused_with_its_mend(
    world: World, changed: dict[str, Any], said: str, mend: str
) -> None:
    token = world.signed(COMPANY, **changed)
    with pytest.raises(NotAllowed) as refused:
        world.by(token)
    assert said in refused.value.message
    assert mend in refused.value.hint
    assert token not in repr(refused.value.__dict__)


def test_clocks_may_differ_by_a_minute_and_no_more(world: World) -> None:
    token = world.signed(COMPANY)
    world.clock.time += timedelta(seconds=300 + 59)
    assert world.by(token).is_verified
    world.clock.time += timedelta(seconds=1)
    with pytest.raises(NotAllowed, match="expired"):
        world.by(token)


def unsigned(world: World) -> str:
    claims = world.signed(COMPANY).split(".")[1]
    return f"{part({'alg': 'none'})}.{claims}."


def by_the_public_key(world: World) -> str:
    """HS256 with the public key as its secret: who checks it by the header's word believes it."""
    claims = world.signed(COMPANY).split(".")[1]
    signed = f"{part({'alg': 'HS256', 'kid': 'one'})}.{claims}"
    mark = hmac.digest(RSA.as_pem(private=False), signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(mark).rstrip(b'=').decode()}"


def by_anothers_key(world: World) -> str:
    return world.signed(COMPANY, RSAKey.generate_key(2048, {"kid": "one"}))


def by_a_key_unknown(world: World) -> str:
    return world.signed(COMPANY, RSAKey.generate_key(2048, {"kid": "three"}))


def with_other_claims(world: World) -> str:
    header, _, signature = world.signed(COMPANY).split(".")
    _, claims, _ = world.signed(COMPANY, sub="root").split(".")
    return f"{header}.{claims}.{signature}"


def with_its_own_key(world: World) -> str:
    """The header brings the key along; only the issuer's count."""
    mine = RSAKey.generate_key(2048)
    now = int(world.clock.now().timestamp())
    claims = {"iss": COMPANY, "aud": "idp", "iat": now, "exp": now + 300, "sub": "root"}
    header = {"alg": "RS256", "jwk": mine.as_dict(private=False)}
    return jwt.encode(header, claims, mine, algorithms=["RS256"])


@pytest.mark.parametrize(
    "forged",
    [
        unsigned,
        by_the_public_key,
        by_anothers_key,
        by_a_key_unknown,
        with_other_claims,
        with_its_own_key,
    ],
)
def test_what_the_issuer_has_not_signed_is_refused(
    world: World, forged: Callable[[World], str]
) -> None:
    with pytest.raises(NotAllowed, match="not signed by") as refused:
        world.by(forged(world))
    assert refused.value.hint


@pytest.mark.parametrize(
    "token", ["garbage", "a.b.c", f"x.{part({})}.y", f"x.{part({'iss': ['a']})}.y"]
)
def test_what_is_no_token_is_refused(world: World, token: str) -> None:
    with pytest.raises(NotAllowed):
        world.by(token)
    assert world.asked == []


def test_without_an_issuer_no_other_token_counts(world: World) -> None:
    with pytest.raises(NotAllowed, match=r"login\.example\.com"):
        world.by(world.signed(COMPANY), issuer="")
    assert world.asked == []


def test_an_issuer_that_calls_itself_otherwise_is_refused(world: World) -> None:
    world.calls_itself = "https://evil.example"
    with pytest.raises(NotAllowed, match="calls itself"):
        world.by(world.signed(COMPANY))


def test_nothing_is_asked_without_https(world: World) -> None:
    plain = "http://login.example.com"
    with pytest.raises(NotAllowed, match=r"identity\.issuer"):
        world.by(world.signed(plain), issuer=plain)
    runner = ACTIONS | {"ACTIONS_ID_TOKEN_REQUEST_URL": "http://runner.example.com/x?a=b"}
    with pytest.raises(NotAllowed, match="ACTIONS_ID_TOKEN_REQUEST_URL"):
        world.who(runner)
    assert world.asked == []
    world.keys_at = "http://keys.example.com/keys"
    with pytest.raises(NotAllowed, match="address of the keys"):
        world.by(world.signed(COMPANY))


def test_keys_may_be_on_another_host(world: World) -> None:
    world.keys_at = "https://keys.example.com/keys"
    assert world.by(world.signed(COMPANY)).is_verified


def test_an_issuer_that_is_down_or_none_is_a_remote_that_failed(world: World) -> None:
    nowhere = "https://nowhere.example.com"
    with pytest.raises(RemoteFailed) as failed:
        world.by(world.signed(nowhere), issuer=nowhere)
    assert "identity.issuer" in failed.value.hint
    world.is_down = True
    with pytest.raises(RemoteFailed):
        world.by(world.signed(COMPANY))


def test_without_a_token_it_is_whom_the_forge_names(world: World) -> None:
    who = world.who({}, lambda: ("github.com", "octocat"))
    assert who == Identity("github.com:octocat", "forge")
    assert who.is_verified


def no_network() -> tuple[str, str]:
    raise RemoteFailed("github.com cannot be reached")


def no_login() -> tuple[str, str]:
    raise NotAllowed("github.com refused the token")


@pytest.mark.parametrize("account", [nobody, no_network, no_login])
def test_whom_nobody_vouches_for_is_unverified(
    world: World, account: Callable[[], tuple[str, str] | None]
) -> None:
    who = world.who({}, account)
    assert who.id == f"unverified:{os.getuid()}@{socket.gethostname()}"
    assert not who.is_verified
    assert world.asked == []


def test_a_bad_token_is_not_made_good_by_the_forge(world: World) -> None:
    with pytest.raises(NotAllowed):
        world.who({"IDP_ID_TOKEN": "garbage"}, lambda: ("github.com", "octocat"))
