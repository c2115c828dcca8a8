"""The words of the workload's stories: a score.yaml of your own, and Score's own samples."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from idp.errors import InvalidInput
from idp.workload.model import Workload
from idp.workload.reading import read

ROOT = Path(__file__).parent.parent.parent

# Read before the tests clear what the caller has set.
DATA = Path(os.environ.get("IDP_DATA", ROOT.parent / "shared" / "data")) / "score"

HEAD = """\
apiVersion: score.dev/v1b1
metadata:
  name: shop
"""
MAIN = """\
containers:
  main:
    image: .
"""


def official(name: str) -> Path:
    """Return one of Score's own files; skip where they are not there."""
    if not (DATA / name).is_file():
        pytest.skip(f"no {name} in {DATA}: set IDP_DATA to the folder that has score/")
    return DATA / name


def workload(folder: Path, text: str) -> Workload:
    """Return what a score.yaml says, written into a folder."""
    (folder / "score.yaml").write_text(text)
    return read(folder / "score.yaml", "score.yaml")


def refused(folder: Path, text: str) -> list[str]:
    """Return the mistakes of a score.yaml, each with its mend."""
    with pytest.raises(InvalidInput) as caught:
        workload(folder, text)
    error = caught.value
    return list(error.details) or [f"{error.message} ({error.hint})"]
