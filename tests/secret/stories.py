"""The words of our stories: somebody asks, somebody else approves, and the value is written."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from idp.clock import Clock, SystemClock
from idp.config.guardrails import RequestSettings, SecretSettings
from idp.identity import Identity
from idp.ledger import open_ledger
from idp.request.base import Decision, Fulfilment, Request
from idp.request.desk import LedgerDesk
from idp.rest import Transport
from idp.secret.connect import vault_kv
from idp.secret.fulfil import fulfil
from idp.secret.request import Counter, Told, ask
from idp.secret.vault_kv import VaultKV
from idp.secret.wanted import Wanted
from tests.openbao import Bao
from tests.roads import open_road

ALICE = Identity("github.com:alice", "forge")
BOB = Identity("github.com:bob", "forge")
CANARY = "canary-4c1d9e"
PATTERN = "{service}/{environment}/{name}"
PATH = "pay/production/db"
CREATE = Wanted("secret create", "db", "pay", "production", "team-a", "the database moved")

WRITER_ROLE = {
    "allowed_policies_glob": ["idp:write:*"],
    "orphan": True,
    "renewable": False,
    "token_no_default_policy": True,
    "token_explicit_max_ttl": "24h",
}
FULFILS = """
path "{mount}/metadata/*" {{ capabilities = ["create", "read", "update", "delete", "list"] }}
path "{mount}/subkeys/*" {{ capabilities = ["read"] }}
path "sys/policies/acl/idp:*" {{ capabilities = ["create", "read", "update", "delete"] }}
path "auth/token/create/idp-writer" {{ capabilities = ["create", "update"] }}
"""
ASKS = 'path "{mount}/metadata/*" {{ capabilities = ["read", "list"] }}'


@dataclass
class Story:
    """A platform with a real OpenBao: alice asks, bob approves, and CI has the rights."""

    bao: Bao
    folder: Path
    mount: str
    clock: Clock = field(default_factory=SystemClock)
    values: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @property
    def desk(self) -> LedgerDesk:
        ledger = open_ledger(str(self.folder / "ledger.db"), self.clock, self.said.append)
        return LedgerDesk(ledger, RequestSettings(), self.clock)

    def backend(self, rules: str, transport: Transport | None = None) -> VaultKV:
        token = self.bao.token(rules.format(mount=self.mount))
        return self.speaking(token, transport)

    def speaking(self, token: str, transport: Transport | None = None, **more: Any) -> VaultKV:
        settings = SecretSettings(backend="vault", url=self.bao.url, mount=self.mount, **more)
        return vault_kv(settings, {"VAULT_TOKEN": token}, self.folder, self.clock, transport)

    def counter(self, transport: Transport | None = None, rules: str = ASKS) -> Counter:
        return Counter(
            self.backend(rules, transport),
            PATTERN,
            lambda: self.desk,
            lambda: ALICE,
            open_road(),
            self.folder / "handover",
            self.clock,
            self.said.append,
            self._value,
        )

    def _value(self) -> str:
        self.values.append(CANARY)
        return CANARY

    def asks(
        self, wanted: Wanted = CREATE, transport: Transport | None = None, rules: str = ASKS
    ) -> Told:
        """Alice runs the command."""
        return ask(wanted, self.counter(transport, rules))

    def approves(self) -> Request:
        """Bob approves the newest request."""
        newest = self.desk.list()[0]
        return self.desk.decide(newest.id, Decision(BOB.id, "approved", None, newest.digest), BOB)

    def fulfils(self, transport: Transport | None = None) -> Fulfilment:
        """The platform's CI fulfils the newest request."""
        newest = self.desk.list()[0]
        backend = self.backend(FULFILS, transport)
        done = fulfil(newest, backend, PATTERN, open_road(), self.clock)
        self.desk.close(newest.id, done, Identity("ci", "oidc"))
        return done

    def data(self, path: str = PATH) -> dict[str, Any]:
        """What OpenBao's root sees."""
        return dict(self.bao.call("GET", f"{self.mount}/data/{path}")["data"])


def rotated(wanted: Wanted = CREATE) -> Wanted:
    return replace(wanted, action="secret rotate")
