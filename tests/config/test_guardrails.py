"""The guardrails' sections of the platform file: exact amounts; mistakes with place and mend."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from idp.config import Platform, load_platform
from idp.config.costs import team_name
from idp.config.guardrails import (
    Budget,
    Guardrails,
    IdentitySettings,
    LedgerSettings,
    RequestSettings,
    SecretSettings,
)
from idp.errors import InvalidInput

KEY = "A" * 43 + "="
GUARDRAILS = f"""\
version: 1
ledger:
  url: postgresql://idp@ledger.example.com/idp
  anchors: https://git.example.com/platform/anchors.git
  keys:
    ci: {KEY}
identity:
  issuer: https://login.example.com
  claim: email
costs:
  rates:
    currency: EUR
    source: price list of our cloud
    date: 2026-11-01
    cpu_hour: 0.04
    gb_hour: "0.0000166667"
    flat:
      postgres: 14.50
  approval_over: 1e2
  budgets:
    payments:
      soft: 400
      hard: 500.10
  default:
    hard: 0
requests:
  repository: acme/platform
  expires_days: 3
secrets:
  backend: vault
  url: https://vault.example.com
  auth: jwt
  role: idp-fulfil
"""


def platform(text: str, cache: Path | None = None) -> Platform:
    return load_platform(text.encode(), "idp-platform.yaml", cache)


def refused(sections: str) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        platform(f"version: 1\n{sections}\n")
    error = caught.value
    return list(error.details) or [f"{error.message} ({error.hint})"]


@pytest.mark.parametrize("load", ["first", "from the cache"])
def test_amounts_are_read_exactly_as_they_are_written(tmp_path: Path, load: str) -> None:
    if load == "from the cache":
        platform(GUARDRAILS, tmp_path)
    costs = platform(GUARDRAILS, tmp_path).guardrails.costs
    assert costs.rates
    assert (costs.rates.currency, costs.rates.date) == ("EUR", "2026-11-01")
    assert costs.rates.cpu_hour == Decimal("0.04")
    assert costs.rates.gb_hour == Decimal("0.0000166667")
    assert costs.rates.gb_month is None  # not told is not free
    assert costs.rates.flat == {"postgres": Decimal("14.50")}
    assert costs.approval_over == Decimal(100)
    assert costs.budgets == {"payments": Budget(Decimal("500.10"), Decimal(400))}
    assert costs.default == Budget(Decimal(0))


@pytest.mark.parametrize("load", ["first", "from the cache"])
def test_the_other_sections_are_read_as_they_are_written(tmp_path: Path, load: str) -> None:
    if load == "from the cache":
        platform(GUARDRAILS, tmp_path)
    rails = platform(GUARDRAILS, tmp_path).guardrails
    assert rails.ledger == LedgerSettings(
        "postgresql://idp@ledger.example.com/idp",
        "https://git.example.com/platform/anchors.git",
        {"ci": KEY},
    )
    assert rails.identity == IdentitySettings("https://login.example.com", "idp", "email")
    assert rails.requests == RequestSettings("acme/platform", expires_days=3)
    url = "https://vault.example.com"
    assert rails.secrets == replace(
        SecretSettings(), backend="vault", url=url, auth="jwt", role="idp-fulfil"
    )


def test_without_the_sections_all_has_its_default() -> None:
    assert platform("version: 1").guardrails == Guardrails()


RATES = "rates: {currency: EUR, source: list, date: 2026-11-01}"


@pytest.mark.parametrize(
    ("costs", "told"),
    [
        (
            f"{{{RATES}, budgets: {{pay: {{soft: 600, hard: 500}}}}}}",
            "2:87: costs.budgets.pay.soft",
        ),
        (
            f"{{{RATES}, budgets: {{pay: {{soft: 600, hard: 500}}}}}}",
            "the soft line 600 is over the hard line 500 (people are warned at the soft line",
        ),
        (f"{{{RATES}, default: {{soft: '9', hard: 8.5}}}}", "costs.default.soft: the soft line 9"),
        (f"{{{RATES}, budgets: {{pay: {{soft: 1}}}}}}", "costs.budgets.pay.hard: this key is miss"),
        (f"{{{RATES}, budgets: {{pay: {{hard: -1}}}}}}", "costs.budgets.pay.hard: must not be neg"),
        (f"{{{RATES}, budgets: {{pay: {{hard: true}}}}}}", "must be an amount of money (for exam"),
        (f"{{{RATES}, budgets: {{pay: {{hard: lots}}}}}}", "must be an amount of money (for exam"),
        (f"{{{RATES}, budgets: {{pay: {{hard: .inf}}}}}}", "must be an amount of money (for exam"),
        (f"{{{RATES}, budgets: {{pay: {{hard: [5]}}}}}}", "must be an amount of money (for exam"),
        (
            f"{{{RATES}, budgets: {{pay: {{hard: 500 USD}}}}}}",
            "an amount is a number alone (costs.rates.currency says in which currency all are)",
        ),
        (f"{{{RATES}, budgets: {{pay: {{hard: EUR 500}}}}}}", "an amount is a number alone"),
        (
            f"{{{RATES}, approval_over: 1234567890123456.78}}",
            "costs.approval_over: has too many digits to be read exactly (put it in quotes)",
        ),
        (f"{{{RATES}, approval_over: '1e300'}}", "costs.approval_over: is out of range"),
        (f"{{{RATES}, approval_over: '1e-13'}}", "costs.approval_over: is out of range"),
        (
            f"{{{RATES}, budgets: {{pay: {{hard: 1}}, 'group:default/Pay': {{hard: 1}}}}}}",
            "'group:default/Pay' and 'pay' are the same team (keep one of them)",
        ),
        (f"{{{RATES}, budgets: {{'group:': {{hard: 1}}}}}}", "'group:' names no team"),
        (
            "{budgets: {pay: {hard: 1}}}",
            "2:18: costs.budgets: without a rate card nothing is estimated",
        ),
        ("{approval_over: 100}", "costs.approval_over: without a rate card nothing is estimated"),
        ("{rates: {currency: euro, source: list, date: 2026-11-01}}", "costs.rates.currency: "),
        ("{rates: {currency: EUR, source: list, date: 1.11.2026}}", "must be a day (for example"),
        ("{rates: {currency: EUR, date: 2026-11-01}}", "costs.rates.source: this key is missing"),
        (
            "{rates: {currency: EUR, source: list, date: 2026-11-01, cpu_hours: 1}}",
            "costs.rates.cpu_hours: unknown key (did you mean 'cpu_hour'?)",
        ),
        (
            "{rates: {currency: EUR, source: list, date: 2026-11-01, flat: {gb_hour: 1}}}",
            "costs.rates.flat.gb_hour: 'gb_hour' is an entry of the card itself",
        ),
    ],
)
def test_a_mistake_in_the_costs_is_told_with_its_place_and_mend(costs: str, told: str) -> None:
    assert any(told in line for line in refused(f"costs: {costs}")), refused(f"costs: {costs}")


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("ledger: {url: 'postgresql://idp:pw@db/idp'}", "2:15: ledger.url: this URL carries"),
        (
            "ledger: {keys: {ci: short}}",
            "ledger.keys.ci: no public key: an Ed25519 one is 32 bytes in base64, 43 letters",
        ),
        # A key in PEM's inner form, a letter short, and one whose last bits say more than 32 bytes.
        ("ledger: {keys: {ci: MCowBQYDK2VwAyEAexampleexample=}}", "2:21: ledger.keys.ci: no publ"),
        (f"ledger: {{keys: {{ci: '{'A' * 42}B='}}}}", "ledger.keys.ci: no public key"),
        ("ledger: {path: x}", "ledger.path: unknown key"),
        ("identity: {issuer: 3}", "identity.issuer: must be text, not `3`"),
        (
            "identity: {issuer: 'http://login.example.com'}",
            "2:20: identity.issuer: an OIDC issuer is an https URL without a login",
        ),
        ("identity: {issuer: login.example.com}", "URL without a login, a query or a fragment (l"),
        ("identity: {issuer: 'https://me@login.example.com'}", "identity.issuer: an OIDC issuer"),
        ("identity: {issuer: 'https://[::1'}", "identity.issuer: an OIDC issuer is an https URL"),
        ("identity: {issuer: 'https://x.example.com?a=b'}", "(like https://login.example.com)"),
        ("identity: {claims: email}", "identity.claims: unknown key (did you mean 'claim'?)"),
        ("requests: {expires_days: 0}", "requests.expires_days: Input should be greater than or"),
        ("requests: {repo: acme/platform}", "requests.repo: unknown key"),
        ("secrets: {backend: valut}", "secrets.backend: Input should be 'vault', 'aws' or 'local'"),
        (
            "secrets: {path: '{service}'}",
            "no pattern of a path (like {service}/{environment}/{name}",
        ),
        ("secrets: {path: '{team}/{name}'}", "2:17: secrets.path: no pattern of a path"),
        ("secrets: {max_age_days: 0.5}", "secrets.max_age_days: must be a whole number, not `0.5`"),
    ],
)
def test_a_mistake_elsewhere_is_told_with_its_place_and_mend(section: str, told: str) -> None:
    assert any(told in line for line in refused(section)), refused(section)


def test_all_mistakes_of_the_costs_are_told_at_once() -> None:
    lines = refused("costs:\n  budgets:\n    pay: {soft: 2, hard: 1}\n    Pay: {soft: 1, hard: 2}")
    assert [line.split(": ", 1)[0] for line in lines] == [
        "idp-platform.yaml:4:5",
        "idp-platform.yaml:4:17",
        "idp-platform.yaml:5:10",
    ]


@pytest.mark.parametrize("owner", ["payments", "Payments", "group:default/payments", " payments "])
def test_a_team_has_one_name(owner: str) -> None:
    assert team_name(owner) == "payments"


def test_a_team_of_another_namespace_is_another_team() -> None:
    assert team_name("group:web/payments") == "web/payments"
