r"""The formats of Backstage's fields; `\Z` throughout, for `$` also matches before a line's end."""

from __future__ import annotations

import re

# What JavaScript's trim() takes off, which is not quite what str.strip() does.
BLANKS = "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
BLANKS += "\u2028\u2029\u202f\u205f\u3000\ufeff"

NAME_WORDS = "letters and digits with any of - _ . between them, 63 at most"
NAMESPACE_WORDS = "lower-case letters and digits with - between them, 63 at most"
KEY_WORDS = f"an optional DNS name and a slash, then {NAME_WORDS}"
TAG_WORDS = "lower-case letters, digits, : + # with single - between them, 63 at most"

_NAME = re.compile(r"(?=.{1,63}\Z)([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]\Z")
_LABEL = re.compile(r"(?=.{1,63}\Z)[a-z0-9]+(?:-+[a-z0-9]+)*\Z")
_TAG = re.compile(r"(?=.{1,63}\Z)[a-z0-9:+#]+(-[a-z0-9:+#]+)*\Z")
_VERSION = re.compile(r"[a-z0-9A-Z]{1,63}\Z")


def is_name(text: str) -> bool:
    """Tell whether it may be an entity's name, or a label's value if not empty."""
    return bool(_NAME.match(text))


def is_namespace(text: str) -> bool:
    """Tell whether it may be a namespace: a DNS label."""
    return bool(_LABEL.match(text))


def is_tag(text: str) -> bool:
    """Tell whether it may be a tag."""
    return bool(_TAG.match(text))


def is_api_version(text: str) -> bool:
    """Tell whether it may be an apiVersion: `[dns-name/]version`."""
    prefix, slash, version = text.rpartition("/")
    return bool(_VERSION.match(version)) and (not slash or _is_dns_name(prefix))


def is_key(text: str) -> bool:
    """Tell whether it may be the key of a label or an annotation: `[dns-name/]name`."""
    prefix, slash, name = text.rpartition("/")
    return is_name(name) and (not slash or _is_dns_name(prefix))


def _is_dns_name(text: str) -> bool:
    return 1 <= len(text) <= 253 and all(map(is_namespace, text.split(".")))


def is_blank(text: str) -> bool:
    """Tell whether JavaScript's trim() leaves nothing of it."""
    return not text.strip(BLANKS)


def as_name(text: str) -> str:
    """Return the nearest name to a text, empty if there is none."""
    return re.sub(r"[^A-Za-z0-9_.]+", "-", text).strip("-_.")[:63].rstrip("-_.")


def as_tag(text: str) -> str:
    """Return the nearest tag to a text, empty if there is none."""
    return re.sub(r"[^a-z0-9:+#]+", "-", text.lower()).strip("-")[:63].rstrip("-")


def as_namespace(text: str) -> str:
    """Return the nearest namespace to a text, empty if there is none."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63].rstrip("-")
