"""Bringing a release into an environment: build, apply, wait, gate, and back if it fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from idp.clock import Clock
from idp.config.running import HealthSettings
from idp.errors import IdpError, Refused, Unhealthy
from idp.provider.base import Fenced, Logs, Observed, Provider, Release, Source, Traffic
from idp.rollout.health import Prober, Seen, gate
from idp.rollout.lease import Held, Leases, held
from idp.rollout.records import Deployment, Environment, Outcome, Records, State
from idp.rollout.steps import Steps
from idp.workload.fields import unused
from idp.workload.model import Workload

LINES = 10
"""How many of a failed service's last lines are told."""

PATIENCE = timedelta(minutes=15)
"""How long one who comes second waits for whoever is at the environment."""

LOOKS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.5)
"""Seconds between two looks at what is starting; the last one from then on."""

Given = Callable[[Workload], Mapping[str, Mapping[str, str]]]
"""Returns the outputs of a workload's resources that the core supplies: secrets."""


class TornDown(Refused):
    """Somebody wants the environment gone; down always wins."""

    code = "torn_down"


@dataclass(frozen=True)
class Site:
    """Where releases are brought, and with what.

    Attributes:
        still_wanted: raises where nobody wants it any more: a pull request was closed meanwhile.
    """

    provider: Provider
    leases: Leases
    records: Records
    prober: Prober
    steps: Steps
    clock: Clock
    given: Given
    health: HealthSettings
    still_wanted: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Shipped:
    """What became of a release.

    Attributes:
        environment: as it stands now.
        failed: why the release is not what runs; None where it is live.
    """

    environment: Environment
    deployment: Deployment
    failed: IdpError | None = None


def ship(
    site: Site, release: Release, source: Source | None, env: Environment, first: Deployment
) -> Shipped:
    """Bring a release into its environment; the one before answers again if it fails.

    Running it again after a kill at any moment finishes or begins anew.

    Args:
        source: what it is built from; None where its artefact is there already.
        env: the environment as it shall be recorded, and `first` the deployment.

    Raises:
        TornDown: somebody wants the environment gone; nothing of it is left.
        Busy, Fenced: somebody else is at it.
    """
    before = site.records.environment(env.name)
    if left := unused(release.workload, site.provider.acts_on):
        site.steps.say(f"warning: {site.provider.name} does not act on {', '.join(left)}")
    site.records.note(replace(first, outcome="deploying"))
    site.records.note(replace(env, state="provisioning", wanted="up"), anew=True)
    try:
        if source is not None:
            with site.steps.step("build"):
                artefact = site.provider.build(release, source, site.steps.say)
            release = replace(release, artefact=artefact)
        site.records.keep(release)
        seen = site.provider.observe(env.name)
        with held(
            site.leases,
            env.name,
            site.clock,
            above=seen.fence if seen else 0,
            patience=PATIENCE,
            waiting=site.steps.say,
        ) as lease:
            return _Shipping(site, lease, release, env, first).run()
    except (TornDown, KeyboardInterrupt):
        site.records.note(_ended(site, first, "cancelled", "torn down or interrupted"))
        raise
    except IdpError as error:
        site.records.note(_ended(site, first, "failed", error.message))
        # What ran before runs on: nothing of the new release was healthy.
        runs = before if before and before.state == "live" else None
        site.records.note(runs or replace(env, state="failed", reason=error.message))
        raise


def _ended(site: Site, first: Deployment, outcome: Outcome, reason: str = "") -> Deployment:
    return replace(first, outcome=outcome, reason=reason, ended_at=site.clock.now())


@dataclass
class _Shipping:
    """One release on its way, under a lease."""

    site: Site
    lease: Held
    release: Release
    env: Environment
    first: Deployment

    def run(self) -> Shipped:
        """Apply the release and see it healthy, or go back to the one before."""
        self._check()
        self.site.still_wanted()
        before = self._before()
        self.release = replace(
            self.release,
            previous=before.id if before else "",
            given=self.site.given(self.release.workload),
        )
        try:
            seen = self._bring(self.release)
        except Fenced as error:
            if self.site.records.is_wanted(self.env.name):
                raise
            raise self._torn_down() from error
        except TornDown:
            self._remove()
            raise
        except Unhealthy as why:
            return self._back(before, why)
        return self._live(self.release, seen)

    def _before(self) -> Release | None:
        """Return the release to go back to: the one that runs, else the one before it."""
        name, provider = self.env.name, self.site.provider
        seen = provider.observe(name)
        if seen is None:
            return None
        good = seen.release if seen.state == "ready" else seen.previous
        good = seen.previous if good == self.release.id else good
        return (provider.stored(name, good) or self.site.records.release(good)) if good else None

    def _bring(self, release: Release) -> Observed:
        """Apply a release and wait until it is healthy; traffic goes to it then.

        Raises:
            Unhealthy: it does not get healthy.
            TornDown: nobody wants it any more.
        """
        site, name = self.site, self.env.name
        self._tell("deploying", release)
        beside = release.strategy == "blue-green" and isinstance(site.provider, Traffic)
        with site.steps.step("start"):
            seen = site.provider.apply(release, self.lease.fence)
            self._still_ours()
            seen = self._ready(release, seen)
        self._tell("verifying", release, seen.url)
        with site.steps.step("health"):
            self._healthy(release, seen.url)
        site.still_wanted()
        self._check()
        if beside and isinstance(site.provider, Traffic) and seen.release == release.id:
            site.provider.switch(name, release.id, self.lease.fence)
            self._retire(site.provider, release)
            seen = site.provider.observe(name) or seen
            self._healthy(release, seen.url)
        return seen

    def _retire(self, traffic: Traffic, release: Release) -> None:
        if old := release.previous:
            traffic.retire(self.env.name, old, self.lease.fence)

    def _ready(self, release: Release, seen: Observed) -> Observed:
        """Wait until what was applied says that it runs."""
        site, name = self.site, self.env.name
        give_up = site.clock.now() + timedelta(seconds=site.health.deadline)
        for turn in range(10_000_000):
            mine = self._mine(release, seen)
            if mine and mine.state == "ready":
                return mine
            if mine and mine.state == "failed":
                raise Unhealthy(
                    f"{release.service} does not start: {mine.reason or 'it gives no reason'}",
                    details=mine.log,
                )
            if site.clock.now() >= give_up:
                reason = mine.reason if mine else "nothing of it is there"
                raise Unhealthy(
                    f"{release.service} did not start in {site.health.deadline:g} s: {reason}",
                    details=self._last_lines(mine),
                )
            site.clock.sleep(LOOKS[min(turn, len(LOOKS) - 1)])
            self._check()
            found = site.provider.observe(name)
            if found is None:
                raise TornDown(f"{name} was torn down meanwhile")
            seen = found
        raise AssertionError("unreachable")

    def _mine(self, release: Release, seen: Observed) -> Observed | None:
        """Return how this release stands: beside the present one, or as the present one."""
        if seen.release == release.id:
            return seen
        provider = self.site.provider
        return provider.beside(self.env.name) if isinstance(provider, Traffic) else None

    def _healthy(self, release: Release, url: str) -> Seen:
        site = self.site
        checks = site.prober.checks(url, release.workload, site.health)
        try:
            return gate(checks, site.health, site.clock, self._check)
        except Unhealthy as error:
            found = site.provider.observe(self.env.name)
            mine = self._mine(release, found) if found else None
            raise Unhealthy(error.message, details=self._last_lines(mine)) from error

    def _last_lines(self, mine: Observed | None) -> tuple[str, ...]:
        """Return what the service wrote last."""
        provider = self.site.provider
        if (mine and mine.log) or not isinstance(provider, Logs):
            return mine.log if mine else ()
        try:
            return tuple(provider.logs(self.env.name, follow=False, lines=LINES))
        except IdpError:
            return ()

    def _still_ours(self) -> None:
        """Take back what was just made where somebody has passed us over in the meantime."""
        try:
            self.lease.keep(at_once=True)
        except Fenced:
            found = self.site.provider.observe(self.env.name)
            if found and found.fence == self.lease.fence:
                self._remove()
            raise

    def _check(self) -> None:
        """Raise where we may not go on: somebody has passed us over, or wants it gone."""
        try:
            self.lease.keep()
        except Fenced as error:
            if not self.site.records.is_wanted(self.env.name):
                raise self._torn_down() from error
            raise
        if not self.site.records.is_wanted(self.env.name):
            raise self._torn_down()

    def _torn_down(self) -> TornDown:
        return TornDown(
            f"somebody has asked to tear {self.env.name} down meanwhile",
            hint="run it again if it is to be there after all",
        )

    def _remove(self) -> None:
        """Take away what this call made after somebody had torn it down."""
        with suppress(Fenced):  # whoever tore it down is at it
            self.site.provider.delete(self.env.name, self.lease.fence)

    def _back(self, before: Release | None, why: IdpError) -> Shipped:
        """Go back to the release before, once, and see that it answers."""
        if before is None:
            failed = self._note("failed", self.release, reason=why.message)
            ended = _ended(self.site, self.first, "failed", why.message)
            self.site.records.note(ended)
            return Shipped(
                failed,
                ended,
                _told(self.env.name, why, "there is no release before it to go back to"),
            )
        self._tell("rolling_back", before)
        back = replace(
            before,
            given=self.site.given(before.workload),
            expires_at=self.release.expires_at,
            previous="",
        )
        try:
            with self.site.steps.step("roll back"):
                seen = self._return(back)
        except Unhealthy as error:
            failed = self._note("failed", self.release, reason=why.message)
            ended = _ended(self.site, self.first, "failed", why.message)
            self.site.records.note(ended)
            what = f"{before.id}, the release before it, is not healthy either: {error.message}"
            return Shipped(failed, ended, _told(self.env.name, why, what))
        env = self._note("live", back, seen.url, reason=why.message, at=seen.updated_at)
        ended = _ended(self.site, self.first, "rolled_back", why.message)
        self.site.records.note(ended)
        return Shipped(
            env,
            ended,
            _told(self.env.name, why, f"{before.id}, the release before it, answers again"),
        )

    def _return(self, back: Release) -> Observed:
        """Let the release before answer again: it may never have stopped."""
        site, name = self.site, self.env.name
        seen = site.provider.observe(name)
        if isinstance(site.provider, Traffic) and seen and seen.release == back.id:
            site.provider.retire(name, self.release.id, self.lease.fence)
            seen = site.provider.observe(name)
        if seen is None or seen.release != back.id or seen.state != "ready":
            plain = replace(back, strategy="rolling")
            seen = self._ready(plain, site.provider.apply(plain, self.lease.fence))
        self._healthy(back, seen.url)
        return seen

    def _live(self, release: Release, seen: Observed) -> Shipped:
        env = self._note("live", release, seen.url, at=seen.updated_at)
        ended = replace(
            _ended(self.site, self.first, "live"),
            url=seen.url,
            artefact=release.artefact,
            previous=release.previous,
        )
        self.site.records.note(ended)
        return Shipped(env, ended)

    def _tell(self, state: State, release: Release, url: str = "") -> None:
        self._note(state, release, url)

    def _note(
        self,
        state: State,
        release: Release,
        url: str = "",
        reason: str = "",
        at: datetime | None = None,
    ) -> Environment:
        self.env = replace(
            self.env,
            state=state,
            url=url or self.env.url,
            release=release.id,
            commit=release.commit,
            reason=reason,
            updated_at=at or self.site.clock.now(),
        )
        self.site.records.note(self.env)
        return self.env


def _told(name: str, why: IdpError, what: str) -> IdpError:
    """Return why a release failed, with what answers now."""
    return Unhealthy(f"{why.message}; {what}", hint=f"idp env logs {name}", details=why.details)
