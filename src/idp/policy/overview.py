"""The policies as people read them: what each asks, of whom, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from idp.config.guardrails import PolicyRule
from idp.config.policies import BUILT_IN
from idp.errors import NotFound
from idp.policy import Policies


@dataclass(frozen=True)
class Explained:
    """A policy.

    Attributes:
        severity: what comes of a plan that does not meet it: deny, needs-approval, warn; off;
            empty for a file of Rego, whose rules say it.
        origin: built-in, or the platform file and its line.
        when: what must be so.
        filter: which plans it is asked of; all if empty.
        which: what it tells of what is at fault.
    """

    id: str
    severity: str
    origin: str
    message: str
    hint: str
    when: str
    filter: str
    which: str


def overview(policies: Policies, lines: Mapping[str, int], file: str) -> tuple[Explained, ...]:
    """Return all policies: those that count, built-in ones that are off, files of Rego.

    Args:
        lines: the line of each key of the platform file, by its dotted path.
        file: what the platform file is called.
    """
    found = {}
    for name, policy in policies.rules.items():
        line = lines.get(f"policies.rules.{name}")
        own = f"{file}:{line}" if line else file
        origin = own if policy.origin == "platform" else policy.origin
        found[name] = _explained(name, policy.says.severity, origin, policy.says)
    off = {name: rule for name, rule in BUILT_IN.items() if name not in found}
    more = [_explained(name, "off", "built-in", rule) for name, rule in off.items()]
    rego = [
        Explained(one.name, "", one.file, f"the rules of package {one.package}", "", "", "", "")
        for one in policies.modules
    ]
    return (*found.values(), *more, *rego)


def _explained(name: str, severity: str, origin: str, rule: PolicyRule) -> Explained:
    return Explained(
        name, severity, origin, rule.message, rule.hint, rule.when, rule.filter, rule.which
    )


def one(policies: tuple[Explained, ...], name: str) -> Explained:
    """Return a policy by its id; raises NotFound where there is none."""
    for policy in policies:
        if policy.id == name:
            return policy
    near = get_close_matches(name, [policy.id for policy in policies], n=1)
    hint = f"did you mean {near[0]!r}?" if near else "`idp policy list` names them"
    raise NotFound(f"no policy {name!r}", hint=hint)
