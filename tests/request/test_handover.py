"""What is handed over reaches the requester alone."""

from __future__ import annotations

import base64

import pytest

from idp.errors import InvalidInput, NotAllowed
from idp.request.handover import new_pair, opened, seal


def test_only_the_key_on_the_requester_s_machine_opens_it() -> None:
    pair = new_pair()
    sealed = seal("hvs.wrapped", pair.public, "req-1")
    assert "hvs.wrapped" not in sealed
    assert opened(sealed, pair.private, "req-1") == "hvs.wrapped"
    with pytest.raises(NotAllowed, match="not for the key on this machine"):
        opened(sealed, new_pair().private, "req-1")


def test_it_is_of_one_request_and_of_nothing_that_was_changed() -> None:
    pair = new_pair()
    sealed = seal("hvs.wrapped", pair.public, "req-1")
    with pytest.raises(NotAllowed):
        opened(sealed, pair.private, "req-2")
    middle = len(sealed) // 2  # the last letters of base64 hold bits that nobody reads
    other = "A" if sealed[middle] != "A" else "B"
    with pytest.raises(NotAllowed):
        opened(f"{sealed[:middle]}{other}{sealed[middle + 1 :]}", pair.private, "req-1")


def test_sealing_twice_looks_like_two_different_things() -> None:
    pair = new_pair()
    assert seal("same", pair.public, "req-1") != seal("same", pair.public, "req-1")


@pytest.mark.parametrize("public", ["", "no key", base64.b64encode(bytes(31)).decode()])
def test_what_is_no_key_is_told(public: str) -> None:
    with pytest.raises(InvalidInput, match="no X25519 key"):
        seal("hvs.wrapped", public, "req-1")


@pytest.mark.parametrize("sealed", ["", "hpke1.%%%", "hpke2.AAAA"])
def test_what_was_not_sealed_so_is_told(sealed: str) -> None:
    with pytest.raises(InvalidInput, match=r"handover of req-1"):
        opened(sealed, new_pair().private, "req-1")


def test_a_key_pair_does_not_show_itself() -> None:
    pair = new_pair()
    assert pair.private not in repr(pair)
