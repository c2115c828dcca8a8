"""Whether two identities are the same person, as far as it can be known."""

from __future__ import annotations

from collections.abc import Iterable

from idp.identity import Identity

_LOGINS = ("actor", "user_login")
"""The claims of GitHub's and GitLab's OIDC tokens that name an account of the forge."""


def names_of(who: Identity) -> frozenset[str]:
    """Return every name somebody goes by, in small letters; two people share none of them.

    A login is a name of its own: the same account signs in by its token, by OIDC from a job it
    started, and in whatever capitals. Two forges with one login each count as one person.
    """
    logins = [who.claims[name] for name in _LOGINS if who.claims.get(name)]
    if who.how == "forge":
        logins.append(who.id.rpartition(":")[2])
    return frozenset((who.id.casefold(), *map(login_name, logins)))


def login_name(login: str) -> str:
    """Return the name that a login of the forge is."""
    return f"login:{login.casefold()}"


def are_same(names: Iterable[str], others: Iterable[str]) -> bool:
    """Tell whether two sets of names belong to one person."""
    return not set(names).isdisjoint(others)
