"""How a source of catalog files is written: a folder, a glob, a repository, a forge, Backstage."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote, urlsplit

from idp.catalog.source.page import repository_of
from idp.catalog.source.patterns import DEFAULT, chosen, left_out, split_glob
from idp.config.source import BUILT_IN, parse_source
from idp.errors import InvalidInput

if TYPE_CHECKING:
    from idp.forge.base import Kind

HOSTS: Mapping[Kind, str] = {"github": "github.com", "gitlab": "gitlab.com", "gitea": ""}
HINT = (
    "write a folder, a glob, a git URL (https://, ssh://, git@HOST:PATH, file://), github:OWNER,"
    " gitlab:GROUP, gitea:OWNER@HOST or backstage:URL"
)

_KINDS: Mapping[str, Kind] = {kind: kind for kind in HOSTS}
_FORGE = re.compile(r"(github|gitlab|gitea):(.*)")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+-]*:|[\w.-]+@[\w.-]+:(?!//)")
_OWNER = re.compile(r"[A-Za-z0-9_][\w.-]*(?:/[A-Za-z0-9_][\w.-]*)*")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?")


@dataclass(frozen=True)
class Place:
    """A source, taken apart; what a kind does not need is empty.

    Attributes:
        written: the source's name, which is the same from wherever idp is called.
        root: the folder or the file on this machine.
        url: of the repository, or of the Backstage.
        ref: the branch, tag or commit of the repository; empty for its default branch.
        subfolder: where in the repository to look.
        forge: what kind of forge it is, of a forge only.
        host: of the forge, with its port; empty for the platform's own Gitea.
        owner: the organisation, the group with those around it, or the person.
        files: globs from the top of the source (of each repository, on a forge).
        skip: paths to leave out, as in a .gitignore; on a forge, names of repositories.
    """

    kind: Literal["folder", "git", "forge", "backstage"]
    written: str
    root: Path = Path()
    url: str = ""
    ref: str = ""
    subfolder: str = ""
    forge: Kind = "github"
    host: str = ""
    owner: str = ""
    files: tuple[str, ...] = DEFAULT
    skip: tuple[str, ...] = ()


def parse_place(
    written: str, files: tuple[str, ...] = (), skip: tuple[str, ...] = (), *, base: Path
) -> Place:
    """Take a source apart.

    Args:
        base: the folder that a relative path begins at.

    Raises:
        InvalidInput: it is none, or one of its globs cannot be understood.
    """
    if not written or written != written.strip() or not all(map(_is_plain, written)):
        raise InvalidInput(f"{written!r} is no source of catalog files", hint=HINT)
    if written.startswith("backstage:"):
        if files or skip:
            raise InvalidInput(f"{written} has no files", hint="leave out `files` and `skip`")
        return _backstage(written)
    if found := _FORGE.fullmatch(written):
        place = _forge(written, _KINDS[found[1]], found[2])
    else:
        place = _git(written) if _URL.match(written) else _folder(written, base)
        left_out(skip)
    if files and place.files != DEFAULT:
        raise InvalidInput(
            f"{written} says already which files are meant", hint="leave out `files`"
        )
    chosen(files or place.files)
    return replace(place, files=files or place.files, skip=skip)


def _is_plain(character: str) -> bool:
    """Tell whether it can be shown, or stands for a byte of a file's name that is no UTF-8."""
    return character.isprintable() or "\udc80" <= character <= "\udcff"


def _backstage(written: str) -> Place:
    url = written.removeprefix("backstage:").rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment:
        raise InvalidInput(
            f"{_hidden(written)} names no Backstage", hint="backstage:https://backstage.example.com"
        )
    if "@" in parts.netloc:
        raise InvalidInput(
            f"the URL of {parts.hostname} carries a credential", hint="leave out what is before @"
        )
    return Place("backstage", f"backstage:{url}", url=url)


def _hidden(written: str) -> str:
    return re.sub(r"//[^/]*@", "//***@", written)


def _forge(written: str, forge: Kind, rest: str) -> Place:
    owner, at, host = rest.partition("@")
    if not _OWNER.fullmatch(owner) or (at and not _HOST.fullmatch(host)):
        example = f"{forge}:acme, {forge}:acme@git.example.com"
        raise InvalidInput(f"{written} names no owner on a forge", hint=f"for example {example}")
    host = host.lower() or HOSTS[forge]
    if "/" in owner and forge != "gitlab":
        raise InvalidInput(
            f"{written} is one repository, not an owner",
            hint=f"for one repository: https://{host or 'HOST'}/{owner}.git",
        )
    return Place("forge", written, forge=forge, host=host, owner=owner)


def _git(written: str) -> Place:
    if found := repository_of(written):
        return _page(written, found[0].host, found[0].name, found[1])
    if written.startswith("file://"):
        return _file_url(written)
    source = parse_source(written)
    if source.is_path or source.url.startswith(BUILT_IN):
        raise InvalidInput(f"{written} is no source of catalog files", hint=HINT)
    parts = urlsplit(source.url)
    if parts.scheme == "https" and "/" not in parts.path.strip("/"):
        owner = parts.path.strip("/") or "OWNER"
        kind = next((k for k, host in HOSTS.items() if host == parts.netloc), "")
        whole = f"{kind}:{owner}" if kind else f"gitea:{owner}@{parts.netloc}"
        raise InvalidInput(
            f"{written} is no repository", hint=f"for all repositories of an owner: {whole}"
        )
    folder = (source.subfolder or "").strip("/")
    return Place("git", written, url=source.url, ref=source.version or "", subfolder=folder)


def _page(written: str, host: str, name: str, rest: str) -> Place:
    """Return the source that is one file, or a folder, which was named by its page."""
    ref, _, path = rest.partition("/")
    url = f"https://{host}/{name}.git"
    parse_source(url)
    if path.endswith((".yaml", ".yml")):
        return Place("git", written, url=url, ref=ref, files=(path,))
    return Place("git", written, url=url, ref=ref, subfolder=path)


def _file_url(written: str) -> Place:
    where, _, subfolder = written.partition("#")
    slash = where.rfind("/")
    at = where.find("@", slash)
    url, ref = (where, "") if at < 0 else (where[:at], where[at + 1 :])
    path = urlsplit(url).path
    if urlsplit(url).netloc not in ("", "localhost") or unquote(path).strip("/") == "":
        raise InvalidInput(f"{written} is no repository", hint="file:///PATH/OF/repository.git")
    if ref.startswith("-") or ".." in subfolder.split("/"):
        raise InvalidInput(f"{written} has a part that cannot be", hint="file:///PATH@REF#FOLDER")
    return Place("git", written, url=url, ref=ref, subfolder=subfolder.strip("/"))


def _folder(written: str, base: Path) -> Place:
    home = os.path.expanduser(written)  # noqa: PTH111 - which leaves `~nobody/` as it is
    top, pattern = split_glob(home)
    root = os.path.normpath(base.absolute() / top)
    if not pattern:
        return Place("folder", root, root=Path(root))
    return Place("folder", f"{root}/{pattern}", root=Path(root), files=(pattern,))
