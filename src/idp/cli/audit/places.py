"""Where the anchors of the trail are, as the user or the platform file names it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from idp.clone import Remote
    from idp.context import Context


def anchors_of(idp: Context, written: str | None) -> tuple[Remote, str] | None:
    """Return the repository that is named, else the platform's, and its branch ("": the default).

    Raises:
        InvalidInput: it names no repository, or a part of one.
        NotFound: there is no such folder.
    """
    from idp.clone import Remote
    from idp.config.source import parse_source
    from idp.errors import InvalidInput, NotFound

    text = written or idp.platform.guardrails.ledger.anchors
    if not text:
        return None
    source = parse_source(text)
    if source.subfolder or source.url.startswith("idp:"):
        raise InvalidInput(f"{text!r} is no git repository", hint="a path or a URL[@BRANCH]")
    if source.is_path:
        path = idp.path(source.url) if written else idp.beside_platform(source.url)
        if not path.is_dir():
            raise NotFound(f"no repository {path} to anchor the audit trail in")
        source = replace(source, url=str(path))
    return Remote(source.url, idp.git_env(source.url), source.url), source.version or ""
