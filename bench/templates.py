"""Make a template of N files with two releases, as a git repository, for benchmarks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ANSWERS = "{{ _copier_conf.answers_file }}.jinja"


def git(repo: Path, *args: str) -> None:
    who = {
        f"GIT_{r}_{k}": v
        for r in ("AUTHOR", "COMMITTER")
        for k, v in (("NAME", "bench"), ("EMAIL", "bench@localhost"))
    }
    subprocess.run(["git", *args], cwd=repo, check=True, capture_output=True, env=os.environ | who)


def write(repo: Path, count: int, release: int) -> None:
    """Write release 1 or 2: of ten files two change, and half of all are Jinja templates."""
    (repo / "copier.yml").write_text(
        "_subdirectory: template\nname: {type: str, default: pay}\n"
        "port: {type: int, default: 8080}\n"
    )
    root = repo / "template"
    root.mkdir(exist_ok=True)
    (root / ANSWERS).write_text("# keep\n{{ _copier_answers|to_nice_yaml }}")
    for number in range(count - 1):
        folder = root / f"part{number % 12}" / f"layer{number % 5}"
        folder.mkdir(parents=True, exist_ok=True)
        jinja = number % 2 == 0
        path = folder / f"file{number}.txt{'.jinja' if jinja else ''}"
        body = [
            f"{{{{ name }}}} line {i} of {number}" if jinja else f"line {i} of {number}"
            for i in range(40)
        ]
        if release == 2 and number % 5 == 0:
            body[30] += " changed"
        path.write_text("\n".join(body) + "\n")


def make(repo: Path, count: int) -> None:
    """Make the repository with the tags v1.0.0 and v2.0.0."""
    repo.mkdir(parents=True)
    git(repo, "init", "--quiet", "--initial-branch=main")
    for release in (1, 2):
        write(repo, count, release)
        git(repo, "add", "--all")
        git(repo, "commit", "--quiet", "-m", f"release {release}")
        git(repo, "tag", f"v{release}.0.0")


if __name__ == "__main__":
    make(Path(sys.argv[1]), int(sys.argv[2]))
