"""The words of these stories: a small service in a repository, run on this machine."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from ..provider.local import service as served
from ..service.stories import Run, build_tree, commit_all, git, idp

PROGRAM = Path(served.__file__).read_text()
ENTITY = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: shop
  labels: {idp.dev/cost-centre: "4711"}
spec: {type: service, lifecycle: production, owner: group:default/team-shop}
"""


def score(version: str = "1", manners: str = "", build: str = "") -> str:
    """Return a workload of the small service."""
    return f"""\
apiVersion: score.dev/v1b1
metadata:
  name: shop
  annotations:
    idp.dev/build: {json.dumps(build or "true")}
    idp.dev/run: python3 service.py
service:
  ports:
    http: {{port: 8080}}
containers:
  main:
    image: .
    variables: {{VERSION: {json.dumps(version)}, MANNERS: {json.dumps(manners)}}}
    readinessProbe:
      httpGet: {{path: /, port: 8080}}
"""


@dataclass(frozen=True)
class Shop:
    """A service's repository."""

    folder: Path

    def changed(self, version: str, manners: str = "", build: str = "") -> Shop:
        """Change its files, without a commit."""
        build_tree(self.folder, {"score.yaml": score(version, manners, build)})
        return self

    def committed(self, version: str, manners: str = "") -> str:
        """Change and commit; return the commit."""
        return commit_all(self.changed(version, manners).folder, f"feat: version {version}")

    def idp(self, *argv: str | Path) -> Run:
        """Run idp in the service's folder."""
        return idp("-C", self.folder, *argv)

    def up(self, *argv: str) -> dict[str, Any]:
        """Bring it up, and return what is told of it."""
        done = self.idp("env", "up", "--json", *argv)
        assert done.code == 0, done.err
        told: dict[str, Any] = json.loads(done.out)
        return told

    def environments(self) -> list[dict[str, Any]]:
        """Return what is listed."""
        told: list[dict[str, Any]] = json.loads(self.idp("env", "list", "--json").out)
        return told


def new_shop(folder: Path) -> Shop:
    """Make a service's repository with one commit."""
    build_tree(
        folder,
        {"score.yaml": score(), "catalog-info.yaml": ENTITY, "service.py": PROGRAM},
    )
    git(folder, "init", "--quiet")
    commit_all(folder, "feat: a shop")
    return Shop(folder)


def answer(url: str, path: str = "/") -> tuple[int, str]:
    """Return what a service answers."""
    reply = httpx.get(url + path, timeout=10)
    return reply.status_code, reply.text


def runs(process: int) -> bool:
    """Tell whether a process runs; one that nobody has waited for has ended."""
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
