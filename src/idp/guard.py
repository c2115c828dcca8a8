"""The guard of the road: policies and approvals before an act, budget and audit trail around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from idp.errors import IdpError, Refused
from idp.plan import Plan
from idp.road import Admission

if TYPE_CHECKING:
    from idp.audit import Trail
    from idp.audit.record import Kind, Record
    from idp.budget import Estimate
    from idp.clock import Clock
    from idp.config import Platform
    from idp.identity import Identity
    from idp.policy import Policies, Scene
    from idp.policy.verdict import Finding, Verdict
    from idp.request.base import Desk, Request


class Denied(Refused):
    """A policy denies it."""

    code = "denied"


class AwaitingApproval(Refused):
    """Somebody else has to approve it first."""

    code = "awaiting_approval"


@dataclass(frozen=True)
class PlatformGuard:
    """What the platform file asks of each plan; doors are opened when they are needed.

    Attributes:
        who: whose act it is; asks servers only for a plan that goes beyond this machine.
        index: the file of the catalog's index, which need not be there.
        origin: from where: the host, and the CI's run.
    """

    platform: Platform
    policies: Callable[[], Policies]
    trail: Callable[[], Trail]
    who: Callable[[], Identity]
    desk: Callable[[], Desk]
    index: Callable[[], Path]
    clock: Clock
    say: Callable[[str], None]
    ask: Callable[[str], bool]
    origin: Mapping[str, str]
    in_ci: bool

    def admit(self, plan: Plan, *, rehearsing: bool = False) -> Admission:
        """Judge a plan.

        Raises:
            Denied: a policy denies it.
            AwaitingApproval: it needs approval, and nobody has approved exactly this plan.
        """
        from idp.budget import estimate
        from idp.policy import judge

        cost = estimate(plan.facts.uses, self.platform.guardrails.costs.rates)
        verdict = judge(self.policies(), plan, self._scene(plan, cost))
        for finding in verdict.of("warn"):
            self.say(f"warning: {finding.message}" + (f" ({finding.hint})" if finding.hint else ""))
        admission = Admission(verdict, cost)
        if denied := verdict.of("deny"):
            if not rehearsing:
                self._note(plan, admission, "refused", denied[0].message)
            message, hint = _told(denied)
            raise Denied(message, hint=hint, details=_others(denied))
        if needing := verdict.of("needs-approval"):
            admission = replace(admission, request=self._approved(plan, needing, rehearsing))
        if rehearsing and cost and plan.facts.holds:
            self._rehearse_reserving(plan, cost)
        return admission

    def begin(self, plan: Plan, admission: Admission) -> str:
        """Reserve what a plan costs and record what is intended, in one transaction."""
        from idp import budget
        from idp.audit import new_act

        act, costs = new_act(), self.platform.guardrails.costs
        trail = self.trail()
        if admission.cost:
            budget.check_shared(trail.ledger, costs, in_ci=self.in_ci)
        with trail.writing() as writing:
            if admission.cost and plan.facts.holds:
                now = self.clock.now()
                stands = budget.reserve(writing.tx, costs, plan.facts, admission.cost, act, now)
                if stands.over_soft:
                    self.say(f"warning: {stands.told}")
            writing.append(self._record(plan, act, "intent", admission=admission))
        return act

    def end(self, act: str, plan: Plan, admission: Admission, proof: str) -> None:
        """Record that it was done; what was reserved for what is gone is given back."""
        from idp import budget

        try:
            with self.trail().writing() as writing:
                budget.settle(writing.tx, plan.facts, admission.cost, act, self.clock.now())
                writing.append(self._record(plan, act, "outcome", outcome="done", proof=proof))
        except (IdpError, OSError) as error:
            # It is done; `idp audit log --open` shows the intent without an outcome.
            self.say(f"warning: done, and not recorded: {error}")
        if admission.request:
            self._close(admission.request, plan, proof)

    def fail(self, act: str, plan: Plan, error: BaseException) -> None:
        """Record that it was not done, and take back what it reserved."""
        from idp import budget

        why = error.message if isinstance(error, IdpError) else type(error).__name__
        outcome = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
        try:
            with self.trail().writing() as writing:
                budget.undo(writing.tx, act, self.clock.now())
                writing.append(
                    self._record(plan, act, "outcome", outcome=outcome, details={"error": why})
                )
        except (IdpError, OSError) as failure:
            self.say(f"warning: not recorded: {failure}")

    def _rehearse_reserving(self, plan: Plan, cost: Estimate) -> None:
        """Raise what reserving would raise, and say what it would say."""
        from idp import budget

        costs, ledger = self.platform.guardrails.costs, self.trail().ledger
        budget.check_shared(ledger, costs, in_ci=self.in_ci)
        with ledger.reading() as tx:
            stands = budget.foresee(tx, costs, plan.facts, cost, self.clock.now())
        if stands.over_soft:
            self.say(f"warning: {stands.told}")

    def _actor(self, plan: Plan) -> Identity:
        """Return who acts; servers are asked only for a plan that goes beyond this machine."""
        from idp.identity import unverified

        return unverified() if plan.risk == "local" else self.who()

    def _approved(self, plan: Plan, needing: tuple[Finding, ...], rehearsing: bool) -> Request:
        """Return the approved request of a plan; else open one, or say that it would be."""
        from idp.request.base import Asked

        desk = self.desk()
        if found := desk.approved(plan.digest):
            return found
        message, hint = _told(needing)
        if rehearsing:
            raise AwaitingApproval(
                f"needs approval: {message}",
                hint="; ".join(filter(None, (hint, "the real run opens a request"))),
                details=_others(needing),
            )
        if not desk.local and not self.ask(f"{message}: open a request for approval?"):
            raise AwaitingApproval(f"needs approval: {message}", hint=hint)
        why = plan.facts.why or "; ".join(one.message for one in needing)
        opened = desk.open(Asked(plan.canonical, plan.digest, why, self.who()))
        if opened.decisions == () and opened.state == "pending":
            self._note(plan, Admission(_empty()), "note", f"request {opened.id}")
        raise AwaitingApproval(
            f"needs approval: {message}",
            hint=f"somebody else: idp request approve {opened.id}; then run this again",
            details=(*_others(needing), f"request {opened.id} {opened.url}".rstrip()),
        )

    def _close(self, request: Request, plan: Plan, proof: str) -> None:
        from idp.request.base import Fulfilment

        done = Fulfilment("fulfilled", f"{plan.action} {plan.subject} {proof}".rstrip())
        try:
            self.desk().close(request.id, done, self._actor(plan))
        except IdpError as error:
            self.say(f"warning: done, but {request.id} is still open: {error}")

    def _note(self, plan: Plan, admission: Admission, kind: Kind, outcome: str) -> None:
        from idp.audit import new_act

        with self.trail().writing() as writing:
            writing.append(
                self._record(plan, new_act(), kind, admission=admission, outcome=outcome)
            )

    def _record(
        self,
        plan: Plan,
        act: str,
        kind: Kind,
        *,
        admission: Admission | None = None,
        outcome: str = "",
        proof: str = "",
        details: Mapping[str, Any] | None = None,
    ) -> Record:
        from idp.audit.record import Record

        told: dict[str, Any] = dict(details or {})
        if kind == "intent":
            told |= {"inputs": dict(plan.inputs), "effects": len(plan.effects), "risk": plan.risk}
        cost = admission.cost if admission else None
        return Record(
            kind,
            act,
            self._actor(plan),
            plan.action,
            plan.subject,
            team=plan.facts.owner,
            plan=plan.digest,
            why=plan.facts.why,
            cost=f"{cost.amount} {cost.currency}" if cost else "",
            verdict=_verdict(admission) if admission else {},
            outcome=outcome,
            proof=proof,
            origin=self.origin,
            details=told,
        )

    def _scene(self, plan: Plan, cost: Estimate | None) -> Scene:
        from idp import budget
        from idp.policy import Scene
        from idp.policy.known import known as known_of

        known = known_of(self.index(), self.platform.catalog, plan.facts.service, plan.facts.owner)
        costs, money = self.platform.guardrails.costs, None
        if cost and plan.facts.owner:
            with self.trail().ledger.reading() as tx:
                money = budget.scene(tx, costs, plan.facts, cost, self.clock.now())
        return Scene(
            **vars(known),
            budget=money,
            cost=_cost(cost),
            now=self.clock.now(),
            settings=self.platform.guardrails.policies,
            approval_over=self.platform.guardrails.costs.approval_over,
        )


def _cost(cost: Estimate | None) -> Mapping[str, Any] | None:
    return None if cost is None else {"month": cost.amount, "currency": cost.currency}


def _empty() -> Verdict:
    from idp.policy.verdict import Verdict

    return Verdict()


def _told(findings: tuple[Finding, ...]) -> tuple[str, str]:
    return findings[0].message, findings[0].hint


def _others(findings: tuple[Finding, ...]) -> tuple[str, ...]:
    return tuple(f"{one.policy}: {one.message}" for one in findings)


def _verdict(admission: Admission) -> Mapping[str, Any]:
    verdict = admission.verdict
    return {
        "outcome": verdict.outcome,
        "asked": verdict.asked,
        "findings": [f"{one.severity} {one.policy}: {one.message}" for one in verdict.findings],
        "request": admission.request.id if admission.request else "",
    }
