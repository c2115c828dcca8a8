"""References to entities: `[kind:][namespace/]name`, as Backstage reads them."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_NAMESPACE = "default"


class MalformedRef(ValueError):
    """A reference that cannot be read; its text says why."""


@dataclass(frozen=True, order=True)
class Ref:
    """An entity's name in full; `str()` is its canonical form, in lower case."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.namespace}/{self.name}".lower()


def parse(text: str, kind: str = "", namespace: str = DEFAULT_NAMESPACE) -> Ref:
    """Return the entity that a reference means.

    Args:
        kind: what it is where the reference has no kind; empty if it must have one.
        namespace: where it is if the reference has no namespace.

    Raises:
        MalformedRef: a part is empty or missing.
    """
    colon, slash = text.find(":"), text.find("/")
    if -1 < slash < colon:
        colon = -1
    own_kind = text[:colon] if colon != -1 else None
    own_namespace = text[colon + 1 : slash] if slash != -1 else None
    name = text[max(colon, slash) + 1 :]
    if "" in (own_kind, own_namespace, name):
        raise MalformedRef(f"{text!r} is not [kind:][namespace/]name: a part of it is empty")
    if not (own_kind or kind):
        raise MalformedRef(f"{text!r} does not say its kind")
    return Ref(own_kind or kind, own_namespace or namespace, name)
