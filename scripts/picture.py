"""Draw README's picture: a real session, run now, as an SVG (`python scripts/picture.py FILE`)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

STEPS = (
    "idp create-service payments-api --template idp:python-api@1.0.0 --owner payments --defaults",
    "cd payments-api && echo 'Our own words.' >> README.md && git commit -qam 'docs: our words'",
    "idp update-service --status",
    "idp update-service",
    "tail -n 1 README.md",
)
WIDTH = 100


def environment(home: Path) -> dict[str, str]:
    """Return an environment in which idp prints colours and finds nothing of this machine."""
    who = {
        f"GIT_{role}_{part}": f"demo{'@localhost' * (part == 'EMAIL')}"
        for role in ("AUTHOR", "COMMITTER")
        for part in ("NAME", "EMAIL")
    }
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return who | {"PATH": path, "HOME": str(home), "CLICOLOR_FORCE": "1", "COLUMNS": str(WIDTH)}


def play(console: Console, home: Path) -> None:
    """Run each step in one folder after another, and print what a person would see."""
    folder, env = home / "work", environment(home)
    folder.mkdir()
    for step in STEPS:
        console.print(Text("$ ", "bold green") + Text(step, "bold"))
        done = subprocess.run(
            step, shell=True, cwd=folder, env=env, text=True, check=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        said = done.stdout.replace(str(home / "work"), "~")
        console.print(Text.from_ansi(said.rstrip()), "")
        if step.startswith("cd "):
            folder = folder / step.split()[1]


def main() -> None:
    """Write the picture."""
    console = Console(record=True, width=WIDTH, force_terminal=True, file=open(os.devnull, "w"))  # noqa: PTH123, SIM115
    with tempfile.TemporaryDirectory() as home:
        play(console, Path(home))
    drawn = console.export_svg(title="idp", unique_id="idp")
    # Rich names fonts on a server; a picture asks nobody for anything.
    Path(sys.argv[1]).write_text(re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.S), "utf-8")


if __name__ == "__main__":
    main()
