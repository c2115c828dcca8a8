"""Ways to a server other than the plain one: a Unix socket, certificates of its own, a proxy."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from idp.errors import InvalidInput
from idp.rest import Transport

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True)
class Trust:
    """Whom a client believes, and who it says it is; certificates and keys are PEM.

    Attributes:
        ca: authorities instead of the machine's own; empty keeps those.
        certificate: our own, with its `key`.
        verify: False believes anybody.
        name: the server's name in its certificate, where it is not the URL's.
    """

    ca: bytes = b""
    certificate: bytes = field(default=b"", repr=False)
    key: bytes = field(default=b"", repr=False)
    verify: bool = True
    name: str = ""


def unix(path: Path) -> Transport:
    """Return a way to the server behind a Unix socket; the URL's host is only a name then."""
    import httpx

    return httpx.HTTPTransport(uds=str(path))


def tls(url: str, trust: Trust, *, proxy: str = "") -> Transport:
    """Return a way to the server of a URL; the environment's proxy counts where none is named.

    Raises:
        InvalidInput: a certificate or key is none.
    """
    import httpx

    try:
        context = _context(trust)
    except (ssl.SSLError, ValueError) as error:
        # No cause: it could cite what was read.
        why = getattr(error, "reason", "") or "it is no PEM"
        raise InvalidInput(
            f"cannot use the certificates for {urlsplit(url).netloc}: {why}",
            hint="they are PEM: authorities, our own certificate, and its key",
        ) from None
    chosen = proxy or _proxy(url)
    try:
        made = httpx.HTTPTransport(verify=context, proxy=chosen or None)
    except (ValueError, httpx.InvalidURL) as error:
        raise InvalidInput(f"cannot use the proxy for {urlsplit(url).netloc}: {error}") from None
    return _called(made, trust.name) if trust.name else made


def _context(trust: Trust) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=trust.ca.decode("ascii") if trust.ca else None)
    if not trust.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if trust.certificate:
        # The ssl module reads a certificate of ours from a file only; this one is mode 600.
        with NamedTemporaryFile(prefix="idp-") as file:
            file.write(trust.certificate.rstrip() + b"\n" + trust.key)
            file.flush()
            context.load_cert_chain(file.name, password=_no_password)
    return context


def _no_password() -> bytes:
    """Keep OpenSSL from asking at the terminal."""
    raise ValueError("the key has a password")


def _proxy(url: str) -> str:
    parts = urlsplit(url)
    found = getproxies()
    if proxy_bypass(parts.netloc):
        return ""
    return found.get(parts.scheme, "") or found.get("all", "")


def _called(inner: httpx.BaseTransport, name: str) -> httpx.BaseTransport:
    """Return a transport that expects a certificate of another name than the URL's."""
    import httpx

    class Called(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            request.extensions = {**request.extensions, "sni_hostname": name}
            return inner.handle_request(request)

        def close(self) -> None:
            inner.close()

    return Called()
