"""What a token may do, against what is needed."""

from __future__ import annotations

import pytest

from idp.forge.base import Account, Kind
from idp.forge.scopes import Purpose, missing


@pytest.mark.parametrize(
    "kind, held, purpose, lacking",
    [
        ("github", "repo workflow read:org gist", "push", ()),
        ("github", "repo workflow admin:org", "push", ()),
        ("github", "repo workflow write:org", "push", ()),
        ("github", "repo gist", "push", ("workflow", "read:org")),
        ("github", "repo workflow", "own", ()),
        ("github", "public_repo", "pr", ("repo", "workflow")),
        ("gitlab", "api", "push", ()),
        ("gitlab", "read_api read_repository", "pr", ("api",)),
        ("gitea", "all", "push", ()),
        ("gitea", "write:repository write:issue write:user", "pr", ()),
        ("gitea", "read:repository read:user", "pr", ("write:repository", "write:issue")),
    ],
)
def test_what_a_token_lacks_is_named(
    kind: Kind, held: str, purpose: Purpose, lacking: tuple[str, ...]
) -> None:
    account = Account("pat", is_bot=False, scopes=frozenset(held.split()))
    assert missing(kind, account, purpose) == lacking


def test_a_token_that_nobody_describes_is_tried() -> None:
    assert missing("github", Account("pat", is_bot=False, scopes=None), "push") == ()
