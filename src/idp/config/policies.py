"""The built-in policies, what a policy may refer to, and what is wrong in those of a platform."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from idp.config.guardrails import PolicyRule

VARIABLES = ("plan", "entity", "team", "catalog", "budget", "cost", "limits", "now")
"""What an expression of a policy may refer to; docs/policy.md says what each holds."""

_RUNS = 'plan.environment != ""'

BUILT_IN: dict[str, PolicyRule] = {
    "required-tags": PolicyRule(
        "deny",
        'limits.tags.all(tag, tag in plan.tags && plan.tags[tag] != "")',
        "tags are missing on what will run",
        'write them as labels in catalog-info.yaml (`idp.dev/cost-centre: "1234"`)',
        filter=_RUNS,
        which='limits.tags.filter(tag, !(tag in plan.tags) || plan.tags[tag] == "")',
    ),
    "budget": PolicyRule(
        "deny",
        "!budget.over_hard",
        "the team's budget does not hold it",
        "`idp budget show` tells what is committed: tear down what nobody needs, or ask the "
        "platform team for more",
        filter="budget != null && cost != null",
        which='[string(cost.month) + " " + cost.currency + " a month, "'
        ' + string(budget.left) + " left of " + string(budget.hard)]',
    ),
    "budget-soft": PolicyRule(
        "warn",
        "!budget.over_soft",
        "the team's budget is nearly used up",
        "`idp budget show` tells what is committed",
        filter="budget != null && cost != null && !budget.over_hard",
        which='[string(budget.after) + " of " + string(budget.hard) + " " + cost.currency]',
    ),
    "cost-approval": PolicyRule(
        "needs-approval",
        "cost.month <= limits.approval_over",
        "it costs more than may be spent without approval",
        "use less of it, or let somebody approve it",
        filter="cost != null && limits.approval_over != null",
        which='[string(cost.month) + " " + cost.currency + " a month, over "'
        " + string(limits.approval_over)]",
    ),
    "time-to-live": PolicyRule(
        "deny",
        "plan.ttl_hours != null && plan.ttl_hours <= limits.max_ttl_hours",
        "an environment that is not production has to end",
        "give it a time to live that the platform allows",
        filter=f'{_RUNS} && !plan.lasting && plan.environment != "production"',
        which='["at most " + string(limits.max_ttl_hours) + " hours"]',
    ),
    "capacity": PolicyRule(
        "deny",
        "plan.environments <= limits.max_environments && limits.quota.all(rate, "
        "!(rate in plan.totals) || plan.totals[rate] <= limits.quota[rate])",
        "it is more than a team may have at once",
        "tear down an environment that nobody needs, or ask for less",
        filter=_RUNS,
        which='(plan.environments > limits.max_environments ? [string(plan.environments) + " of "'
        ' + string(limits.max_environments) + " environments"] : []) + limits.quota.filter(rate, '
        "rate in plan.totals && plan.totals[rate] > limits.quota[rate])",
    ),
    "owner-exists": PolicyRule(
        "deny",
        "team != null",
        "its owner is not in the catalog",
        "name a Group of the catalog (`idp catalog query kind=group`); a new one is there after "
        "`idp catalog ingest`",
        filter=f'catalog.read && (plan.owner != "" || {_RUNS})',
        which='[plan.owner != "" ? plan.owner : "(nobody)"]',
    ),
    "reviewer-for-critical": PolicyRule(
        "needs-approval",
        'plan.tier != "critical"',
        "a critical service changes only with a second person",
        "let somebody review and approve it",
        filter=f'{_RUNS} && plan.environment != "preview"',
    ),
    "target-review": PolicyRule(
        "needs-approval",
        "plan.review.size() == 0",
        "a second person has to look at it",
        "let somebody review and approve it",
        filter=_RUNS,
        which="plan.review",
    ),
    "image-tag": PolicyRule(
        "deny",
        'plan.images.all(image, image == "." || image.contains("@sha256:")'
        ' || image.matches(":[A-Za-z0-9_][A-Za-z0-9_.-]*$") && !image.endsWith(":latest"))',
        "an image does not say which one it is",
        "give it a tag other than latest, or a digest",
        which='plan.images.filter(image, !(image == "." || image.contains("@sha256:")'
        ' || image.matches(":[A-Za-z0-9_][A-Za-z0-9_.-]*$") && !image.endsWith(":latest")))',
    ),
    "plain-secret": PolicyRule(
        "deny",
        "plan.plain_secrets.size() == 0",
        "a secret seems to stand in plain text",
        "replace it, since it is known now; then `idp secret request`, and refer to it by "
        "${resources.NAME.OUTPUT}",
        which="plan.plain_secrets",
    ),
    "public-ingress": PolicyRule(
        "needs-approval",
        "!plan.public",
        "it can be reached from the internet",
        "let somebody review and approve it, or keep it internal",
        filter=_RUNS,
    ),
    "personal-data": PolicyRule(
        "needs-approval",
        "!plan.personal_data",
        "it handles personal data",
        "let somebody review and approve it",
        filter=_RUNS,
    ),
    "new-dependency": PolicyRule(
        "needs-approval",
        "plan.new_dependencies.size() == 0",
        "it depends on what it did not depend on before",
        "let somebody review and approve it",
        filter=_RUNS,
        which="plan.new_dependencies",
    ),
}
"""The policies that count unless the platform chooses among them."""

Path = tuple[str | int, ...]
Mistakes = Iterator[tuple[Path, str, str]]
_HERE: Path = ("policies",)


def mistakes(data: object) -> Mistakes:
    """Yield (path, what, mend) for what is wrong in the policies of a platform file.

    What has the wrong type is passed over: that is told by its model.
    """
    match data:
        case {"policies": dict(said)}:
            chosen, severity, rules = said.get("built_in"), said.get("severity"), said.get("rules")
            for place, name in enumerate(chosen if isinstance(chosen, list) else ()):
                yield from _known((*_HERE, "built_in", place), name)
            for name in severity if isinstance(severity, dict) else ():
                yield from _known((*_HERE, "severity", name), name)
            for name, rule in rules.items() if isinstance(rules, dict) else ():
                if isinstance(rule, dict):
                    yield from _rule((*_HERE, "rules", name), rule)


def _known(path: Path, name: object) -> Mistakes:
    from difflib import get_close_matches

    if isinstance(name, str) and name and name not in BUILT_IN:
        near = get_close_matches(name, BUILT_IN, n=1)
        mend = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(BUILT_IN)}"
        yield path, f"no built-in policy {name!r}", mend


def _rule(path: Path, rule: dict[str, Any]) -> Mistakes:
    from idp.rules import UnreadableRule, compile_rule

    for key in ("when", "filter", "which"):
        text = rule.get(key)
        if isinstance(text, str) and text:
            try:
                compile_rule(text, VARIABLES)
            except UnreadableRule as error:
                yield (*path, key), str(error), error.mend
