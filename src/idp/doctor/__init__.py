"""What is installed, reachable, logged in, allowed and out of date, each with what mends it.

A check is a small function that yields findings; CHECKS lists them all. They run at the same time,
and what has not answered in time is told so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from functools import partial

from idp.doctor import forge, machine, settings, templates
from idp.doctor.world import Check, State, World, begin, trouble
from idp.errors import IdpError

__all__ = ["Check", "World", "examine"]

PATIENCE = 9.0
"""Seconds until the doctor waits no longer."""

CHECKS: tuple[tuple[str, Callable[[World], Iterable[Check]]], ...] = (
    ("git", machine.git_version),
    ("git identity", machine.git_identity),
    ("python", machine.python),
    ("make", machine.make),
    ("container engine", machine.container_engine),
    ("cache", settings.cache),
    ("configuration", settings.configuration),
    ("platform file", settings.platform_file),
    ("stored logins", settings.stored_logins),
    ("netrc", settings.netrc),
    ("forge", forge.forge),
    ("templates", templates.platform_templates),
    ("service", templates.service),
    ("idp", templates.idp_itself),
)
"""The checks by name, in the order in which they are told."""


def examine(world: World, patience: float = PATIENCE) -> tuple[Check, ...]:
    """Return what every check found; none raises, and none is waited for longer than `patience`."""
    asked = [(name, begin(partial(_ask, check, world))) for name, check in CHECKS]
    wait([future for _, future in asked], timeout=patience)
    return tuple(found for name, future in asked for found in _found(world, name, future))


def _ask(check: Callable[[World], Iterable[Check]], world: World) -> tuple[Check, ...]:
    return tuple(check(world))


def _found(world: World, name: str, future: Future[tuple[Check, ...]]) -> tuple[Check, ...]:
    if not future.done():
        return (Check(name, _late(world), "no answer in time", "idp doctor"),)
    try:
        return future.result()
    except IdpError as error:
        return (trouble(name, error),)


def _late(world: World) -> State:
    """Return what it means that something does not answer: much only where it was asked for."""
    try:
        return "problem" if world.configured() else "skipped"
    except IdpError:
        return "problem"
