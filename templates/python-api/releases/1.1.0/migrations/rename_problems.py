"""Migration to 1.1.0: what imports the module `problems` of the service imports `problem_details`.

Run in the root of the service, before the merge which renames the module itself. Touches only Python
files which refer to the module; a second run finds none.
"""

import ast
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

OLD, NEW = "problems", "problem_details"
# Not the team's own code.
SKIPPED = {"build", "dist", "node_modules", "site-packages", "venv"}


def package_of_module() -> str | None:
    """Return the package which has the module; None if the service has gone its own way."""
    modules = [module for name in (OLD, NEW) for module in Path("src").glob(f"*/{name}.py")]
    return modules[0].parent.name if len(modules) == 1 else None


def python_files() -> Iterator[Path]:
    """Yield the Python files of the service."""
    for folder, folders, files in os.walk("."):
        folders[:] = [name for name in folders if name not in SKIPPED and name[0] != "."]
        for name in sorted(files):
            path = Path(folder, name)
            if path.suffix == ".py" and not path.is_symlink():
                yield path


class References(ast.NodeVisitor):
    """Collects where a file refers to the module: the line, and the column in bytes."""

    def __init__(self, path: Path, source: bytes, package: str) -> None:
        self.lines = source.splitlines(keepends=True)
        # What relative imports start from.
        self.home = path.parts[1:-1] if path.parts[0] == "src" else ()
        self.package = package
        self.module = f"{package}.{OLD}"
        self.places: set[tuple[int, int]] = set()
        self.bound = False  # Whether the file has the module under its old name.

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """`from pkg.problems import x`, `from . import problems`."""
        above = self.home[: max(len(self.home) - node.level + 1, 0)] if node.level else ()
        module = ".".join([*above, *([node.module] if node.module else [])])
        if module == self.module:
            self._search(node, rb"\b%s(?=\s+import\b)" % OLD.encode())
        elif module == self.package:
            for alias in node.names:
                if alias.name == OLD:
                    self.places.add((alias.lineno, alias.col_offset))
                    self.bound |= alias.asname is None

    def visit_Import(self, node: ast.Import) -> None:
        """`import pkg.problems`."""
        for alias in node.names:
            if alias.name == self.module:
                self.places.add((alias.lineno, alias.col_offset + len(self.package) + 1))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """`pkg.problems.x`."""
        self.generic_visit(node)
        of_package = isinstance(node.value, ast.Name) and node.value.id == self.package
        if of_package and node.attr == OLD and node.end_lineno and node.end_col_offset:
            self.places.add((node.end_lineno, node.end_col_offset - len(OLD)))

    def visit_Constant(self, node: ast.Constant) -> None:
        """`monkeypatch.setattr("pkg.problems.x", 1)`."""
        module = re.escape(self.module)
        if isinstance(node.value, str) and re.fullmatch(rf"{module}(\.\w+)*", node.value):
            self._search(node, rb"(?<=\b%s\.)%s\b" % (self.package.encode(), OLD.encode()))

    def add_names(self, tree: ast.Module) -> None:
        """Add the uses of `problems` after `from . import problems`."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id == OLD:
                self.places.add((node.lineno, node.col_offset))

    def renamed(self) -> bytes:
        """Return the file with every reference renamed."""
        lines = self.lines.copy()
        for number, column in sorted(self.places, reverse=True):
            line = lines[number - 1]
            lines[number - 1] = line[:column] + NEW.encode() + line[column + len(OLD) :]
        return b"".join(lines)

    def _search(self, node: ast.stmt | ast.expr, pattern: bytes) -> None:
        line = self.lines[node.lineno - 1]
        if found := re.compile(pattern).search(line, node.col_offset):
            self.places.add((node.lineno, found.start()))


def also_a_variable(tree: ast.Module) -> bool:
    """Tell whether a file uses the old name for something of its own as well."""
    return any(
        (isinstance(node, ast.Name) and node.id == OLD and not isinstance(node.ctx, ast.Load))
        or (isinstance(node, ast.arg) and node.arg == OLD)
        for node in ast.walk(tree)
    )


def rewritten(path: Path, source: bytes, package: str) -> bytes:
    """Return a file with its references renamed."""
    tree = ast.parse(source)
    references = References(path, source, package)
    references.visit(tree)
    if references.bound:
        if also_a_variable(tree):
            raise ValueError(f"`{OLD}` is also a variable there")
        references.add_names(tree)
    return references.renamed()


def main() -> None:
    """Rewrite every file which refers to the module, and name those left for a person."""
    package = package_of_module()
    if package is None:
        return
    for path in python_files():
        source = path.read_bytes()
        if OLD.encode() not in source:
            continue
        try:
            result = rewritten(path, source, package)
        except (SyntaxError, ValueError) as error:
            print(f"{path}: not rewritten ({error}); import {NEW}, not {OLD}", file=sys.stderr)
            continue
        if result != source:
            path.write_bytes(result)
            print(f"{path}: imports {NEW}")


if __name__ == "__main__":
    main()
