"""Where snapshots are kept: a folder, or a server that files can be put on."""

from __future__ import annotations

import errno
import io
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import quote, urlsplit, urlunsplit

from idp.clock import Clock
from idp.errors import IdpError, InvalidInput, NotFound, UsageError
from idp.rest import Server
from idp.rest.transfer import download
from idp.workshop import workshop

NAME = "catalog.json"
"""The manifest's name, where a location does not say one."""

TOKEN = "IDP_SNAPSHOT_TOKEN"
"""The variable with the token for the server."""


@dataclass(frozen=True)
class Held:
    """What a place holds: the manifest's text, and the ETag of it if there is one."""

    text: bytes
    etag: str = ""


class Place(Protocol):
    """A place for one catalog's snapshots.

    Attributes:
        name: the manifest's path or URL, without what may be secret in it.
        is_remote: it is not on a file system.
    """

    @property
    def name(self) -> str:
        """The manifest's path or URL."""

    @property
    def stem(self) -> str:
        """The manifest's name without its ending, with which the data's names begin."""

    @property
    def is_remote(self) -> bool:
        """Whether it is on a server."""

    def manifest(self, etag: str = "") -> Held | None:
        """Return the manifest; None if it is what has this etag.

        Raises:
            NotFound: there is no snapshot.
        """

    def fetch(self, data: str, into: BinaryIO) -> None:
        """Read a file beside the manifest into one of ours."""

    def put(self, data: str, file: Path) -> None:
        """Put a file beside the manifest, under its name only once it is whole."""

    def point(self, manifest: bytes) -> None:
        """Replace the manifest."""

    def remove(self, data: str) -> None:
        """Remove a file beside the manifest; one that cannot be removed stays."""


def place_of(
    location: str, token: str, clock: Clock, say: Callable[[str], None], here: Callable[[str], Path]
) -> Place:
    """Return the place that a location means: a path, a `file:` URL or an `https:` one.

    Args:
        token: for the server of that URL and no other.
        here: what a path means.

    Raises:
        UsageError: it is another sort of URL.
    """
    parts = urlsplit(location)
    if "://" not in location:
        return Folder(_manifest_of(here(location)))
    if parts.scheme == "file":
        return Folder(_manifest_of(Path(parts.path)))
    if parts.scheme != "https" or not parts.hostname or parts.username is not None:
        raise UsageError(
            f"{_bare(location)} is no location for snapshots",
            hint=f"https://HOST/FOLDER, with a token in {TOKEN}, or a path",
        )
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    path = parts.path if parts.path.endswith(".json") else f"{parts.path.rstrip('/')}/{NAME}"
    server = Server(
        f"https://{parts.netloc}",
        clock,
        headers,
        TOKEN if token else "",
        f"set {TOKEN} to a token for {parts.netloc}",
        say,
    )
    return Web(server, path, parts.query)


def _manifest_of(path: Path) -> Path:
    return path if path.suffix == ".json" else path / NAME


def _bare(location: str) -> str:
    """Return a URL without what may be secret in it."""
    parts = urlsplit(location)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


@dataclass(frozen=True)
class Folder:
    """A folder, on this machine or shared."""

    path: Path
    is_remote = False

    @property
    def name(self) -> str:
        """The manifest's path."""
        return str(self.path)

    @property
    def stem(self) -> str:
        """The manifest's name without its ending."""
        return self.path.stem

    def manifest(self, etag: str = "") -> Held | None:
        """Return the manifest."""
        try:
            return Held(self.path.read_bytes())
        except FileNotFoundError as error:
            raise _nothing_at(self.name) from error
        except OSError as error:
            raise InvalidInput(f"cannot read {self.name}: {error.strerror}") from error

    def fetch(self, data: str, into: BinaryIO) -> None:
        """Copy a file beside the manifest."""
        into.seek(0)
        into.truncate()
        try:
            held = (self.path.parent / data).open("rb")
        except FileNotFoundError as error:
            raise NotFound(f"{self.path.parent / data} is missing") from error
        with held:
            shutil.copyfileobj(held, into, 1 << 20)

    def put(self, data: str, file: Path) -> None:
        """Copy a file into the folder; it gets its name when it is whole."""
        with self._drafted() as draft:
            shutil.copyfile(file, draft)
            _on_disk(draft)
            draft.replace(self.path.parent / data)

    def point(self, manifest: bytes) -> None:
        """Replace the manifest."""
        with self._drafted() as draft:
            draft.write_bytes(manifest)
            _on_disk(draft)
            draft.replace(self.path)

    @contextmanager
    def _drafted(self) -> Iterator[Path]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with workshop(self.path.parent) as folder:
                yield folder / "draft"
        except OSError as error:
            raise InvalidInput(f"cannot write {self.name}: {error.strerror}") from error

    def remove(self, data: str) -> None:
        """Remove a file beside the manifest."""
        with suppress(OSError):
            (self.path.parent / data).unlink()


def _on_disk(path: Path) -> None:
    """Wait until a file is on the disk and not only on its way there."""
    held = os.open(path, os.O_RDONLY)
    try:
        os.fsync(held)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(held)


@dataclass(frozen=True)
class Web:
    """A file server that takes files by PUT; its URL's query goes with every request."""

    server: Server
    path: str
    query: str = ""
    is_remote = True

    @property
    def name(self) -> str:
        """The manifest's URL, without its query."""
        return f"{self.server.base}{self.path}"

    @property
    def stem(self) -> str:
        """The manifest's name without its ending."""
        return self.path.rpartition("/")[2].removesuffix(".json")

    def _url(self, path: str) -> str:
        return f"{self.server.base}{path}{'?' if self.query else ''}{self.query}"

    def _beside(self, data: str) -> str:
        return self._url(f"{self.path.rpartition('/')[0]}/{quote(data)}")

    def manifest(self, etag: str = "") -> Held | None:
        """Return the manifest; None if it is what has this etag."""
        into = io.BytesIO()
        try:
            reply = download(self.server, self._url(self.path), into, etag=etag)
        except NotFound as error:
            raise _nothing_at(self.name) from error
        return None if reply.status == 304 else Held(into.getvalue(), reply.etag)

    def fetch(self, data: str, into: BinaryIO) -> None:
        """Read a file beside the manifest."""
        download(self.server, self._beside(data), into)

    def put(self, data: str, file: Path) -> None:
        """Put a file beside the manifest."""
        headers = {"Content-Type": "application/gzip"}
        self.server.send("PUT", self._beside(data), headers=headers, content=file, raw=True)

    def point(self, manifest: bytes) -> None:
        """Replace the manifest."""
        headers = {"Content-Type": "application/json"}
        url = self._url(self.path)
        self.server.send("PUT", url, headers=headers, content=manifest, raw=True)

    def remove(self, data: str) -> None:
        """Remove a file beside the manifest, if the server lets us."""
        with suppress(IdpError):
            self.server.send("DELETE", self._beside(data), raw=True)


def _nothing_at(name: str) -> NotFound:
    return NotFound(f"no snapshot at {name}", hint="idp catalog snapshot publish makes one")
