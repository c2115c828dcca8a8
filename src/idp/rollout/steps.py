"""What a long command is doing, step by step, each with its time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from idp.clock import Clock


@dataclass(frozen=True)
class Step:
    """A step that was taken, and its seconds."""

    name: str
    seconds: float


@dataclass
class Steps:
    """The steps of one call; each is told when it begins, and with its time when it is done."""

    clock: Clock
    say: Callable[[str], None]
    taken: list[Step] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Take a step; it is told once it is done."""
        began = self.clock.now()
        yield
        seconds = (self.clock.now() - began).total_seconds()
        self.taken.append(Step(name, round(seconds, 3)))
        self.say(f"{name:<10} {seconds:6.1f} s")
