"""Whether a text is a URL, by the WHATWG's URL Standard: what a browser's `new URL()` takes.

International host names are taken without IDNA's checks.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import unquote_to_bytes

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_SPECIAL = {"http", "https", "ws", "wss", "ftp", "file"}
_FORBIDDEN = re.compile(r"[\x00\t\n\r #/:<>?@\[\\\]^|]")
_FORBIDDEN_DOMAIN = re.compile(r"[\x00-\x20#%/:<>?@\[\\\]^|\x7f]")
_PORT = re.compile(r"[0-9]*\Z")
_NUMBER = re.compile(r"(?:0[xX][0-9a-fA-F]*|[0-9]+)\Z")


def is_url(text: str) -> bool:
    """Tell whether a text without a base is a URL."""
    text = re.sub(r"[\t\n\r]", "", text.strip("".join(map(chr, range(33)))))
    if not (found := _SCHEME.match(text)):
        return False
    scheme, rest = found[1].lower(), text[found.end() :]
    if scheme == "file":
        return _is_file(rest)
    if scheme in _SPECIAL:
        authority = re.split(r"[/\\?#]", rest.lstrip("/\\"), maxsplit=1)[0]
        return _is_authority(authority, special=True)
    if not rest.startswith("//"):
        return True
    authority = re.split(r"[/?#]", rest[2:], maxsplit=1)[0]
    return authority == "" or _is_authority(authority, special=False)


def _is_file(rest: str) -> bool:
    slashes = re.match(r"[/\\]{2}", rest)
    if not slashes:
        return True
    host = re.split(r"[/\\?#]", rest[2:], maxsplit=1)[0]
    return host == "" or bool(re.match(r"[A-Za-z][:|]\Z", host)) or _is_host(host, special=True)


def _is_authority(authority: str, *, special: bool) -> bool:
    host = authority.rpartition("@")[2]
    if "@" in authority and not host:
        return False
    found = re.match(r"(\[[^\]]*\]|[^:]*)(?::(.*))?\Z", host, re.S)
    if found is None:
        return False
    name, port = found[1], found[2] or ""
    if not _PORT.match(port) or (port and int(port[:9]) > 65535):
        return False
    return (name != "" or (not special and port == "" and host == "")) and _is_host(
        name, special=special
    )


def _is_host(host: str, *, special: bool) -> bool:
    if host.startswith("["):
        return host.endswith("]") and _is_ipv6(host[1:-1])
    if not special:
        return not _FORBIDDEN.search(host)
    name = unquote_to_bytes(host).decode("utf-8", "replace").replace("\u00ad", "")
    name = re.sub("[\u3002\uff0e\uff61]", ".", name)
    if not name or "\ufffd" in name or _FORBIDDEN_DOMAIN.search(name):
        return False
    last = name.removesuffix(".").rpartition(".")[2]
    return _is_ipv4(name) if _NUMBER.match(last) else True


def _is_ipv4(host: str) -> bool:
    parts = host.removesuffix(".").split(".")
    if len(parts) > 4 or not all(map(_NUMBER.match, parts)):
        return False
    try:
        numbers = [_number(part) for part in parts]
    except ValueError:
        return False
    return all(n < 256 for n in numbers[:-1]) and numbers[-1] < 256 ** (5 - len(numbers))


def _number(part: str) -> int:
    if part[:2] in ("0x", "0X"):
        return int(part[2:] or "0", 16)
    return int(part, 8) if len(part) > 1 and part[0] == "0" else int(part[:12])


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return "%" not in text
