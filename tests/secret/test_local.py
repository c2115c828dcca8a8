"""Secrets in a file of this machine: encrypted, whole or not at all, its owner's alone."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend

from idp.clock import SystemClock
from idp.errors import InvalidInput, NotAllowed
from idp.secret.base import About
from idp.secret.local import LocalSecrets

ABOUT = About("pay", "dev", "db")
PATH = "pay/dev/db"


class Safe(KeyringBackend):
    """A keyring of the system, as far as we need one."""

    priority = 0  # so that no other test finds it

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.priority = 5
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    from keyring.backends.fail import Keyring

    monkeypatch.setattr(keyring.core, "_keyring_backend", Keyring())  # type: ignore[no-untyped-call]


@pytest.fixture
def safe(no_keyring: None) -> Safe:
    safe = Safe()
    keyring.set_keyring(safe)
    return safe


@pytest.fixture
def place(tmp_path: Path) -> LocalSecrets:
    return LocalSecrets(tmp_path / "secrets", SystemClock())


def written(place: LocalSecrets, value: str = "canary") -> None:
    place.prepare(PATH, ABOUT)
    place.write(PATH, {"value": value}, 0)


def files(place: LocalSecrets) -> dict[str, int]:
    return {one.name: stat.S_IMODE(one.stat().st_mode) for one in place.folder.iterdir()}


def test_without_a_keyring_the_key_is_a_file_that_its_owner_alone_reads(
    place: LocalSecrets,
) -> None:
    former = os.umask(0)
    try:
        written(place)
    finally:
        os.umask(former)
    assert files(place) == {"secrets.fernet": 0o600, "key": 0o600, "lock": 0o600}
    assert stat.S_IMODE(place.folder.stat().st_mode) == 0o700
    assert all(b"canary" not in one.read_bytes() for one in place.folder.iterdir())


def test_with_a_keyring_the_key_is_there_and_in_no_file(place: LocalSecrets, safe: Safe) -> None:
    written(place)
    assert set(files(place)) == {"secrets.fernet", "lock"}
    assert list(safe.kept) == [("idp-secrets", str(place.folder / "secrets.fernet"))]
    assert LocalSecrets(place.folder, SystemClock()).read(PATH) == {"value": "canary"}


def test_a_key_that_is_gone_is_told_and_nothing_is_made_anew(place: LocalSecrets) -> None:
    written(place)
    (place.folder / "key").unlink()
    with pytest.raises(NotAllowed, match="neither in the keyring nor in"):
        place.read(PATH)
    with pytest.raises(NotAllowed, match="neither in the keyring nor in"):
        place.write(PATH, {"value": "more"}, 1)
    assert not (place.folder / "key").exists()


@pytest.mark.parametrize("harm", [b"", b"nonsense", b"gAAAAA" + b"A" * 80])
def test_a_damaged_file_is_told_and_left_as_it_is(place: LocalSecrets, harm: bytes) -> None:
    written(place)
    file = place.folder / "secrets.fernet"
    file.write_bytes(harm)
    for call in (place.preflight, place.read, place.show, place.revoke):
        with pytest.raises(InvalidInput, match="is damaged, or was encrypted with another key"):
            call(PATH)
    assert file.read_bytes() == harm


def test_another_key_is_told(place: LocalSecrets, tmp_path: Path) -> None:
    written(place)
    other = LocalSecrets(tmp_path / "other", SystemClock())
    written(other)
    (place.folder / "key").write_bytes((other.folder / "key").read_bytes())
    with pytest.raises(InvalidInput, match="encrypted with another key"):
        place.read(PATH)
    (place.folder / "key").write_text("no key")
    with pytest.raises(InvalidInput, match="is damaged"):
        place.read(PATH)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(InvalidInput, match="cannot write in"):
        written(LocalSecrets(tmp_path / "state" / "secrets", SystemClock()))


WRITES = """
import sys
from pathlib import Path
from idp.clock import SystemClock
from idp.secret.base import About
from idp.secret.local import LocalSecrets

place = LocalSecrets(Path(sys.argv[1]), SystemClock())
for number in range(5):
    name = f"{sys.argv[2]}-{number}"
    place.prepare(f"pay/dev/{name}", About("pay", "dev", name))
    place.write(f"pay/dev/{name}", {"value": name}, 0)
"""


def test_many_at_once_lose_nothing(place: LocalSecrets) -> None:
    command = [sys.executable, "-c", WRITES, str(place.folder)]
    writers = [subprocess.Popen([*command, f"w{number}"]) for number in range(4)]
    assert [one.wait(60) for one in writers] == [0] * 4
    kept = {one.about.name: place.read(one.path)["value"] for one in place.list("pay/dev")}
    names = {f"w{writer}-{number}" for writer in range(4) for number in range(5)}
    assert kept == {name: name for name in names}
