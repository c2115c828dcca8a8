"""The words of the catalog's stories: a checkout with catalog files, and Backstage's verdicts."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ..service.stories import Run, build_tree, idp

ROOT = Path(__file__).parent.parent.parent

# Read before the tests clear what the caller has set.
DATA = Path(os.environ.get("IDP_DATA", ROOT.parent / "shared" / "data")) / "catalog"

COMPONENT = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: {name}
spec:
  type: service
  lifecycle: production
  owner: {owner}
"""
GROUP = """\
apiVersion: backstage.io/v1alpha1
kind: Group
metadata:
  name: {name}
spec:
  type: team
  children: []
"""


def component(name: str, owner: str = "team-a", **spec: Any) -> str:
    more = "".join(f"  {key}: {json.dumps(value)}\n" for key, value in spec.items())
    return COMPONENT.format(name=name, owner=owner) + more


def group(name: str) -> str:
    return GROUP.format(name=name)


def documents(*texts: str) -> str:
    return "---\n".join(texts)


class Checkout:
    """A folder with catalog files, a git work tree where `remote` is given."""

    def __init__(self, path: Path, remote: str = "") -> None:
        self.path = path
        path.mkdir()
        if remote:
            subprocess.run(["git", "init", "--quiet", path], check=True)
            subprocess.run(["git", "-C", path, "remote", "add", "origin", remote], check=True)

    def write(self, **files: str) -> None:
        """Write files; a name's double underscore is a slash, `info` is catalog-info.yaml."""
        named = {"info": "catalog-info.yaml"}
        build_tree(self.path, {named.get(n, n.replace("__", "/")): t for n, t in files.items()})

    def validate(self, *words: str) -> Run:
        return idp("-C", self.path, "catalog", "validate", *words)

    def verdicts(self, *words: str) -> list[dict[str, Any]]:
        """Return what --json prints."""
        found: list[dict[str, Any]] = json.loads(self.validate("--json", *words).out)
        return found

    def messages(self, *words: str) -> list[str]:
        """Return each problem as FIELD: MESSAGE (HINT)."""
        return [
            f"{p['path']}: {p['message']} ({p['hint']})"
            for verdict in self.verdicts(*words)
            for p in verdict["problems"]
        ]


def data(name: str) -> Path:
    """Return a file of the shared data, or skip the test."""
    if not (DATA / name).exists():
        pytest.skip(f"no {name} in {DATA}: set IDP_DATA to the folder that has catalog/")
    return DATA / name
