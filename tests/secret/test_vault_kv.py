"""Secrets as a KV engine keeps them: metadata, names of keys, rights; never a value."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey

from idp.config.guardrails import SecretSettings
from idp.errors import InvalidInput, NotAllowed, NotFound, Refused
from idp.secret.base import About
from idp.secret.connect import vault_kv
from idp.secret.listing import row, rows
from tests.secret.stories import ASKS, CANARY, FULFILS, PATH, Story

ABOUT = About("pay", "production", "db", "team-a", "req-1", "github.com:alice", "github.com:bob")


def test_listed_without_values(story: Story) -> None:
    backend = story.backend(FULFILS)
    for path in (PATH, "pay/production/api", "pay/staging/db", "cart/production/db"):
        service, environment, name = path.split("/")
        backend.prepare(path, About(service, environment, name, "team-a"))
        backend.write(path, {"value": CANARY, "user": "u"}, 0)
    settings, now = SecretSettings(), datetime.now(UTC)
    listed = [*rows(story.backend(ASKS), settings, now, "pay", "")]
    assert [one.path for one in listed] == ["pay/production/api", PATH, "pay/staging/db"]
    assert CANARY not in str(listed) and {one.version for one in listed} == {1}
    only = [*rows(story.backend(ASKS), settings, now, "", "staging")]
    assert [one.path for one in only] == ["pay/staging/db"]


def test_shown_with_who_asked_and_the_names_of_its_keys(story: Story) -> None:
    backend = story.backend(FULFILS)
    backend.prepare(PATH, ABOUT)
    assert backend.show(PATH).state == "empty"
    backend.write(PATH, {"value": CANARY, "user": "u"}, 0)
    shown = backend.show(PATH)
    assert (shown.about, shown.keys, shown.state) == (ABOUT, ("user", "value"), "present")
    with pytest.raises(NotFound, match="no secret pay/production/none"):
        backend.show("pay/production/none")


def test_stale_by_age_and_by_its_end(story: Story) -> None:
    backend, now = story.backend(FULFILS), datetime.now(UTC)
    backend.prepare(PATH, ABOUT)
    backend.write(PATH, {"value": CANARY}, 0)
    shown = backend.show(PATH)
    assert not row(shown, now, 90).stale
    assert row(shown, now + timedelta(days=91), 90).stale


def test_preparing_twice_changes_nothing_and_another_services_is_left(story: Story) -> None:
    backend = story.backend(FULFILS)
    backend.prepare(PATH, ABOUT)
    before = story.bao.call("GET", f"{story.mount}/metadata/{PATH}")["data"]
    backend.prepare(PATH, ABOUT)
    assert story.bao.call("GET", f"{story.mount}/metadata/{PATH}")["data"] == before
    with pytest.raises(Refused, match="belongs to pay, not to cart"):
        backend.prepare(PATH, About("cart", "production", "db"))


def test_what_somebody_lacks_to_fulfil_is_told(story: Story) -> None:
    assert story.backend(FULFILS).lacking(PATH) == ()
    lacking = story.backend(ASKS).lacking(PATH)
    assert f"create {story.mount}/metadata/{PATH}" in lacking


def test_whoever_fulfils_cannot_read_values(story: Story) -> None:
    backend = story.backend(FULFILS)
    backend.prepare(PATH, ABOUT)
    backend.write(PATH, {"value": CANARY}, 0)
    with pytest.raises(NotAllowed):
        backend.read(PATH)


def test_approle_and_no_login_at_all(story: Story) -> None:
    bao = story.bao
    if "approle/" not in bao.call("GET", "sys/auth"):
        bao.call("POST", "sys/auth/approle", {"type": "approle"})
    bao.call("PUT", "sys/policies/acl/ci", {"policy": FULFILS.format(mount=story.mount)})
    bao.call("POST", "auth/approle/role/ci", {"token_policies": ["ci"]})
    role = bao.call("GET", "auth/approle/role/ci/role-id")["data"]["role_id"]
    secret = bao.call("POST", "auth/approle/role/ci/secret-id", {})["data"]["secret_id"]
    settings = SecretSettings("vault", bao.url, mount=story.mount, auth="approle", role=role)
    backend = vault_kv(settings, {"VAULT_SECRET_ID": secret}, story.folder, story.clock)
    backend.preflight(PATH)
    backend.prepare(PATH, ABOUT)
    nobody = vault_kv(
        SecretSettings("vault", bao.url, mount=story.mount), {}, story.folder, story.clock
    )
    nobody.preflight(PATH)
    with pytest.raises(NotAllowed, match="not logged in"):
        nobody.show(PATH)


def test_a_mount_that_is_not_there_is_told_to_whoever_may_know(story: Story) -> None:
    settings = SecretSettings("vault", story.bao.url, mount="none")
    root = vault_kv(settings, {"BAO_TOKEN": story.bao.root}, story.folder, story.clock)
    with pytest.raises(NotAllowed, match="no mount 'none'"):
        root.preflight(PATH)


def test_a_job_logs_in_with_its_oidc_token(story: Story) -> None:
    bao, key, mount = story.bao, ECKey.generate_key("P-256"), f"jwt-{story.mount}"
    public = key.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    bao.call("POST", f"sys/auth/{mount}", {"type": "jwt"})
    bao.call("POST", f"auth/{mount}/config", {"jwt_validation_pubkeys": [public.decode()]})
    bao.call("PUT", f"sys/policies/acl/{mount}", {"policy": FULFILS.format(mount=story.mount)})
    role = {
        "role_type": "jwt",
        "bound_audiences": [bao.url],
        "bound_claims": {"ref": "refs/heads/main", "repository": "acme/platform"},
        "user_claim": "repository",
        "token_policies": [mount],
    }
    bao.call("POST", f"auth/{mount}/role/idp-fulfil", role)
    settings = SecretSettings(
        "vault", bao.url, "", story.mount, "jwt", "idp-fulfil", auth_mount=mount
    )

    def logged_in(ref: str) -> None:
        now = int(datetime.now(UTC).timestamp())
        claims = {"repository": "acme/platform", "ref": ref, "aud": bao.url, "iat": now}
        token = jwt.encode({"alg": "ES256"}, {**claims, "exp": now + 60, "sub": "job"}, key)
        backend = vault_kv(settings, {"IDP_ID_TOKEN": token}, story.folder, story.clock)
        assert backend.lacking(PATH) == ()

    logged_in("refs/heads/main")
    with pytest.raises(InvalidInput, match="claim"):
        logged_in("refs/heads/mine")


def test_a_person_s_machine_logs_in_as_the_person_where_jobs_log_in_by_their_token(
    story: Story,
) -> None:
    place = story.speaking(story.bao.root, auth="jwt", role="idp-fulfil")
    place.prepare(PATH, ABOUT)
    assert place.show(PATH).state == "empty"
