"""The providers of a platform, each made when it is first asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from idp.clock import Clock
from idp.config.running import ProviderSettings
from idp.errors import NotFound
from idp.provider.base import Provider


@dataclass
class Providers(Mapping[str, Provider]):
    """The platform's providers by name.

    Attributes:
        state: the folder of what is kept on this machine.
    """

    settings: Mapping[str, ProviderSettings]
    state: Path
    environ: Mapping[str, str]
    clock: Clock
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
        from idp.provider.local import local

        return local(settings, self.state / "local", self.environ, self.clock)
