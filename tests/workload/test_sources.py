"""The files that a workload names are read into it; nothing from outside its folder is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from idp.errors import InvalidInput
from idp.workload.model import Workload
from idp.workload.sources import whole

from .stories import HEAD, MAIN, workload


def naming(folder: Path, *sources: str) -> Workload:
    lines = "".join(f"      /etc/{n}: {{source: {s}}}\n" for n, s in enumerate(sources))
    return workload(folder, f"{HEAD}{MAIN}    files:\n{lines}")


def test_text_stays_text_and_anything_else_is_bytes(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/app.ini").write_text("host=${resources.db.host}\n")
    (tmp_path / "logo.png").write_bytes(b"\x89PNG\xff")
    (main,) = whole(naming(tmp_path, "conf/app.ini", "logo.png"), tmp_path).containers
    text, data = main.files
    assert (text.text, text.source) == ("host=${resources.db.host}\n", "")
    assert (data.data, data.text, data.source) == (b"\x89PNG\xff", None, "")


def test_a_link_out_of_the_service_is_refused(tmp_path: Path) -> None:
    service = tmp_path / "service"
    service.mkdir()
    (tmp_path / "key").write_text("mine")
    (service / "key").symlink_to(tmp_path / "key")
    with pytest.raises(InvalidInput, match="key is outside the service's folder"):
        whole(naming(service, "key"), service)


def test_what_is_no_plain_file_or_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r'files\["/etc/0"\].source: cannot read nope: No such'):
        whole(naming(tmp_path, "nope"), tmp_path)
    (tmp_path / "round").symlink_to("round")
    with pytest.raises(InvalidInput, match="cannot read round"):
        whole(naming(tmp_path, "round"), tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidInput, match="cannot read pipe: it is no plain file"):
        whole(naming(tmp_path, "pipe"), tmp_path)


def test_large_files_are_refused_alone_and_together(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * (2**20 + 1))
    (tmp_path / "half").write_bytes(b"x" * (2**19 + 1))
    with pytest.raises(InvalidInput, match="large has more than"):
        whole(naming(tmp_path, "large"), tmp_path)
    with pytest.raises(InvalidInput, match="more than 1048576 bytes together"):
        whole(naming(tmp_path, "half", "half"), tmp_path)
