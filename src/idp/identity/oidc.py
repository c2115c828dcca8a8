"""OIDC tokens: asking GitHub Actions for one, and what an issuer's own keys prove of it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from idp.clock import Clock
from idp.errors import InvalidInput, NotAllowed, RemoteFailed

if TYPE_CHECKING:
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    from idp.rest import Server

GITHUB = "https://token.actions.githubusercontent.com"
"""The issuer of GitHub Actions; GitHub Enterprise Server has one of its own."""

LEEWAY = 60
"""Seconds by which clocks may differ."""

# No `none`, and no HMAC: a public key is no secret.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")

TOLD = (
    *("repository", "ref", "workflow", "workflow_ref", "run_id", "actor", "sha", "event_name"),
    *("project_path", "ref_protected", "pipeline_id", "job_id", "user_login", "environment"),
)
"""The claims that are kept: what a job is and who started it, as GitHub and GitLab say it."""

Reach = Callable[[str, Mapping[str, str]], "Server"]
"""Returns the server at a base URL, which is sent these headers."""


def of_actions(environ: Mapping[str, str], audience: str, reach: Reach) -> str:
    """Return the token that GitHub Actions makes for this job; "" where the job may have none.

    Raises:
        NotAllowed: the job is refused one.
        RemoteFailed: GitHub cannot be reached, or answers with none.
    """
    url = environ.get("ACTIONS_ID_TOKEN_REQUEST_URL", "")
    secret = environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "")
    if not url or not secret:
        return ""
    place = urlsplit(url)
    _https(url, "ACTIONS_ID_TOKEN_REQUEST_URL")
    server = reach(f"https://{place.netloc}", {"Authorization": f"Bearer {secret}"})
    query = "&".join(part for part in (place.query, urlencode({"audience": audience})) if part)
    data = server.get(f"{place.path}?{query}").data
    token = data.get("value") if isinstance(data, dict) else None
    if not isinstance(token, str) or not token:
        raise RemoteFailed(f"{server.host} answered with no OIDC token", hint="run the job again")
    return token


def claims_of(
    token: str, believed: Mapping[str, str], audience: str, reach: Reach, clock: Clock
) -> dict[str, Any]:
    """Return a token's claims, which its issuer's keys have signed for this audience.

    Args:
        believed: the issuers whose word counts, with the claim of each that names somebody.

    Raises:
        NotAllowed: another issuer, audience or signature, or not valid now; it says what mends it.
        RemoteFailed: the issuer cannot be reached.
    """
    from joserfc.errors import JoseError

    issuer = _issuer(token)
    if issuer not in believed:
        raise NotAllowed(
            f"the OIDC token is of {issuer or 'no issuer'}, whose word does not count here",
            hint=f"believed: {', '.join(believed)}; see `identity.issuer` in the platform file",
        )
    try:
        claims = _signed(token, _keys(issuer, reach))
    except (JoseError, ValueError) as error:
        raise NotAllowed(
            f"the OIDC token is not signed by {issuer}: {_said(error)}",
            hint="take a new token from the issuer, and change nothing of it",
        ) from None
    try:
        _check(claims, issuer, audience, believed[issuer], clock)
    except JoseError as error:
        raise _refused(error, claims, audience) from None
    return claims


def _issuer(token: str) -> str:
    """Return the issuer that an unchecked token names, to know whose keys to ask for."""
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        issuer = claims["iss"]
    except (IndexError, KeyError, TypeError, ValueError, RecursionError):
        raise NotAllowed(
            "the OIDC token is no JSON Web Token with an issuer",
            hint="is IDP_ID_TOKEN an ID token, and whole?",
        ) from None
    return issuer if isinstance(issuer, str) else ""


def _keys(issuer: str, reach: Reach) -> KeySet:
    """Return the public keys of an issuer (OpenID Connect Discovery 1.0)."""
    from joserfc.jwk import KeySet

    _https(issuer, "identity.issuer")
    about = _read(reach(issuer.rstrip("/"), {}), "/.well-known/openid-configuration")
    if about.get("issuer") != issuer:
        raise NotAllowed(
            f"{issuer} calls itself {about.get('issuer')!r}",
            hint="write `identity.issuer` exactly as its tokens do",
        )
    place = str(about.get("jwks_uri", ""))
    _https(place, f"the address of the keys of {issuer}")
    found = urlsplit(place)
    keys = _read(reach(f"https://{found.netloc}", {}), place).get("keys")
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise RemoteFailed(f"{place} holds no keys", hint="is it an OIDC issuer?")
    return KeySet.import_key_set({"keys": keys})


def _read(server: Server, path: str) -> Mapping[str, Any]:
    try:
        data = server.get(path).data
    except InvalidInput as error:
        raise RemoteFailed(
            f"{server.host} does not tell its keys: {error.message}",
            hint="is `identity.issuer` in the platform file the URL of an OIDC issuer?",
        ) from error
    if not isinstance(data, dict):
        raise RemoteFailed(f"{server.host} answered {path} with no JSON object")
    return data


def _https(url: str, what: str) -> None:
    if urlsplit(url).scheme != "https" or not urlsplit(url).netloc:
        raise NotAllowed(f"{what} is {url!r}", hint="an issuer is reached by https:// alone")


def _signed(token: str, keys: KeySet) -> dict[str, Any]:
    from joserfc import jwt
    from joserfc.jws import JWSRegistry

    registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    return jwt.decode(token, keys, ALGORITHMS, registry).claims


def _check(claims: dict[str, Any], issuer: str, audience: str, name: str, clock: Clock) -> None:
    """Check what a token says of itself; `name` is the claim that must name somebody."""
    from joserfc.errors import MissingClaimError
    from joserfc.jwt import JWTClaimsRegistry

    now = int(clock.now().timestamp())
    JWTClaimsRegistry(
        now=now,
        leeway=LEEWAY,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": audience},
        exp={"essential": True},
        iat={"essential": True},
    ).validate(claims)
    if not isinstance(claims.get(name), str) or not claims[name]:
        raise MissingClaimError(name)


def _refused(error: JoseError, claims: Mapping[str, Any], audience: str) -> NotAllowed:
    from joserfc.errors import ClaimError, ExpiredTokenError, MissingClaimError

    if isinstance(error, ExpiredTokenError):
        return NotAllowed("the OIDC token has expired", hint="take a new one; is the clock right?")
    if isinstance(error, MissingClaimError):
        return NotAllowed(
            f"the OIDC token lacks the claim {error.claim}",
            hint="see `identity.claim` in the platform file",
        )
    if isinstance(error, ClaimError) and error.claim == "aud":
        return NotAllowed(
            f"the OIDC token was made for {claims.get('aud')!r}, not for {audience!r}",
            hint=f"ask its issuer for one with the audience {audience}",
        )
    hint = "take a new token; is the clock right?"
    return NotAllowed(f"the OIDC token does not hold: {_said(error)}", hint=hint)


def _said(error: Exception) -> str:
    return str(getattr(error, "description", "")) or type(error).__name__
