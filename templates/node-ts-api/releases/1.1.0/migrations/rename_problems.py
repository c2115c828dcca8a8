"""Migration to 1.1.0: what imports the module `problems` of the service imports `problem-details`.

Run in the root of the service, before the merge which renames the module itself. Touches only
TypeScript and JavaScript files which refer to the module; a second run finds none.
"""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

HOME, OLD, NEW = "src", "problems", "problem-details"
ENDINGS = {".cjs", ".cts", ".js", ".jsx", ".mjs", ".mts", ".ts", ".tsx"}
# Not the team's own code.
SKIPPED = {"build", "coverage", "dist", "node_modules"}

# What comes before the name of a module: `from "x"`, `import "x"`, `import("x")`, `require("x")`,
# `vi.mock("x")`, `vi.importActual<typeof import("x")>("x")`.
BEFORE = r"\b(?:from|import)\s*|(?:\b(?:import|require(?:\.resolve)?|(?:vi|jest)\.\w+)|>)\s*\(\s*"
REFERENCE = re.compile(
    rf"(?P<before>{BEFORE})(?P<quote>[\"'`])(?P<folder>[^\"'`\s]*/){OLD}"
    r"(?P<ending>\.[cm]?[jt]s)?(?P=quote)"
)


def has_moved_on() -> bool:
    """Tell whether the service has gone its own way: it has not exactly one of the modules."""
    return sum(Path(HOME, f"{name}.ts").is_file() for name in (OLD, NEW)) != 1


def source_files() -> Iterator[Path]:
    """Yield the TypeScript and JavaScript files of the service."""
    for folder, folders, files in os.walk("."):
        folders[:] = [name for name in folders if name not in SKIPPED and name[0] != "."]
        for name in sorted(files):
            path = Path(folder, name)
            if path.suffix in ENDINGS and not path.is_symlink():
                yield path


def leads_home(folder: str, path: Path) -> bool:
    """Tell whether a relative folder, as seen from a file, is the one with the module."""
    seen = PurePosixPath(os.path.normpath(PurePosixPath(path.parent.as_posix(), folder)))
    return folder[0] == "." and seen == PurePosixPath(HOME)


def rewritten(path: Path, source: str) -> tuple[str, list[str]]:
    """Return a file with its references renamed, and those which may be meant but are no paths."""
    unclear: list[str] = []

    def rename(found: re.Match[str]) -> str:
        if leads_home(found["folder"], path):
            ending = found["ending"] or ""
            return (
                f"{found['before']}{found['quote']}{found['folder']}{NEW}{ending}{found['quote']}"
            )
        # Names that teams give to folders of their own.
        if found["folder"].startswith(("#", "@/", "~", HOME)):
            unclear.append(f"{found['folder']}{OLD}")
        return found[0]

    return REFERENCE.sub(rename, source), unclear


def main() -> None:
    """Rewrite every file which refers to the module, and name those left for a person."""
    if has_moved_on():
        return
    for path in source_files():
        source = path.read_bytes()
        try:
            result, unclear = rewritten(path, source.decode())
        except UnicodeDecodeError as error:
            print(f"{path}: not rewritten ({error}); import {NEW}, not {OLD}", file=sys.stderr)
            continue
        for name in unclear:
            print(f"{path}: not rewritten ({name}); import {NEW}, not {OLD}", file=sys.stderr)
        if result.encode() != source:
            path.write_bytes(result.encode())
            print(f"{path}: imports {NEW}")


if __name__ == "__main__":
    main()
