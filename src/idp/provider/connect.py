"""The providers of a platform, each made when it is first asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from idp.clock import Clock
from idp.config.running import ProviderSettings
from idp.errors import NotFound
from idp.provider.base import Provider, Say

if TYPE_CHECKING:
    from idp.rest import Transport


@dataclass
class Providers(Mapping[str, Provider]):
    """The platform's providers by name.

    Attributes:
        state: the folder of what is kept on this machine.
        transport: the network; None is the real one.
    """

    settings: Mapping[str, ProviderSettings]
    state: Path
    environ: Mapping[str, str]
    clock: Clock
    say: Say
    transport: Transport | None = None
    _made: dict[str, Provider] = field(default_factory=dict, init=False)

    def __getitem__(self, name: str) -> Provider:
        """Return the provider of a name.

        Raises:
            NotFound: the platform has none such.
        """
        if name not in self._made:
            if name not in self.settings:
                raise NotFound(
                    f"no provider called {name!r} on this platform",
                    hint=f"known: {', '.join(self.settings)}",
                )
            self._made[name] = self._make(self.settings[name])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(self.settings)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.settings)

    def _make(self, settings: ProviderSettings) -> Provider:
        match settings.kind:
            case "local":
                from idp.provider.local import local

                return local(settings, self.state / "local", self.environ, self.clock)
            case "container":
                from idp.provider.container import container

                return container(settings, self.state, self.environ, self.clock, self.transport)
            case "kubernetes":
                from idp.provider.kubernetes import kubernetes

                return kubernetes(settings, self.environ, self.clock, self.say, self.transport)
