"""Handing something over to one requester: sealed (HPKE, RFC 9180) to a key made for the request.

The requester's private key stays on their machine; what is sealed may lie where anybody sees it.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from idp.errors import InvalidInput, NotAllowed

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_BEGINS = "hpke1."


@dataclass(frozen=True, repr=False)
class KeyPair:
    """A key pair of 32 bytes each, in base64; `public` goes into the plan's inputs."""

    private: str
    public: str


def new_pair() -> KeyPair:
    """Make a key pair."""
    key = X25519PrivateKey.generate()
    private, public = key.private_bytes_raw(), key.public_key().public_bytes_raw()
    return KeyPair(base64.b64encode(private).decode(), base64.b64encode(public).decode())


def seal(text: str, public: str, request: str) -> str:
    """Seal a text to a public key; it can be opened as that request's only.

    Raises:
        InvalidInput: it is no public key.
    """
    try:
        key = X25519PublicKey.from_public_bytes(base64.b64decode(public, validate=True))
        sealed = _SUITE.encrypt(text.encode(), key, _info(request))
    except (ValueError, binascii.Error) as error:
        raise InvalidInput("the requester's key for the handover is no X25519 key") from error
    return _BEGINS + base64.b64encode(sealed).decode()


def opened(sealed: str, private: str, request: str) -> str:
    """Return the text that was sealed.

    Raises:
        InvalidInput: nothing that was sealed so.
        NotAllowed: sealed to another key, or for another request, or changed since.
    """
    try:
        raw = base64.b64decode(sealed.removeprefix(_BEGINS), validate=True)
        key = X25519PrivateKey.from_private_bytes(base64.b64decode(private, validate=True))
    except (ValueError, binascii.Error) as error:
        raise InvalidInput(f"the handover of {request} cannot be read") from error
    if not sealed.startswith(_BEGINS):
        raise InvalidInput(f"the handover of {request} is of a form that this idp does not know")
    try:
        return _SUITE.decrypt(raw, key, _info(request)).decode()
    except (InvalidTag, ValueError) as error:
        raise NotAllowed(
            f"the handover of {request} is not for the key on this machine",
            hint="open it on the machine that asked, or ask again",
        ) from error


def _info(request: str) -> bytes:
    return f"idp handover {request}".encode()
