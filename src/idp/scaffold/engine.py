"""Copier, imported without the terminal toolkit that it asks questions with.

That toolkit is a third of the import (0.13 of 0.37 CPU s), and most runs ask nothing. Copier takes
six names from it; each is replaced by a function that imports the real one when it is called.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

ASKING = {
    "questionary": ("confirm", "unsafe_prompt"),
    "questionary.prompts": (),
    "questionary.prompts.common": ("Choice",),
    "prompt_toolkit": (),
    "prompt_toolkit.lexers": ("PygmentsLexer",),
    "pygments": (),
    "pygments.lexers": (),
    "pygments.lexers.data": ("JsonLexer", "YamlLexer"),
}


@dataclass(frozen=True)
class _Later:
    """Stands in for a function or a class until it is called."""

    module: str
    name: str

    def real(self) -> Any:
        return getattr(import_module(self.module), self.name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.real()(*(a.real() if isinstance(a, _Later) else a for a in args), **kwargs)


@contextmanager
def _asking_later() -> Iterator[None]:
    stood_in = [module for module in ASKING if module not in sys.modules]
    for module in stood_in:
        sys.modules[module] = ModuleType(module)
        vars(sys.modules[module]).update({n: _Later(module, n) for n in ASKING[module]})
    try:
        yield
    finally:
        for module in stood_in:
            del sys.modules[module]


with _asking_later():
    import copier
    import copier._main
    import copier._template

__all__ = ["copier"]
