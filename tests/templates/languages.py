"""What is another word, file or tool in each template's language; all else they share."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Language:
    """One template's row.

    Attributes:
        own: patterns of the files that no template in another language has.
        key_files: its own files among those whose every line matters to somebody outside.
        image: the image that its Dockerfile begins with, as a pattern.
        runtime: the program that runs it, by which a container is asked who it is.
        whoami: what that program is told to run.
        packages: the command that lists what is installed in the image.
        needed, not_needed: packages that have to be, or may not be, in the image.
        own_answers: what only its framework answers, as `OPERATION STATUS`.
    """

    own: tuple[str, ...]
    key_files: tuple[str, ...]
    image: str
    runtime: str
    whoami: tuple[str, ...]
    packages: tuple[str, ...]
    needed: frozenset[str]
    not_needed: frozenset[str]
    own_answers: frozenset[str] = frozenset()


LANGUAGES = {
    "python-api": Language(
        own=("pyproject.toml", "scripts/*.py", "src/*", "tests/*.py"),
        key_files=("pyproject.toml",),
        image=r"python:\d+\.\d+\.\d+-",
        runtime="python",
        whoami=("-c", "import os; print(os.getuid())"),
        packages=(
            *("python", "-c"),
            "import importlib.metadata as m; print(*{d.name for d in m.distributions()})",
        ),
        needed=frozenset({"fastapi", "orders-api"}),
        not_needed=frozenset({"mypy", "pytest", "ruff"}),
    ),
    "node-ts-api": Language(
        own=(
            *("package.json", "package-lock.json", "tsconfig*.json", "*.config.*", ".prettier*"),
            *("scripts/*", "src/*", "tests/*"),
        ),
        key_files=("package.json",),
        image=r"node:\d+\.\d+\.\d+-",
        runtime="node",
        whoami=("-p", "process.getuid()"),
        packages=(
            *("node", "-p"),
            "require('node:fs').readdirSync('node_modules').join(' ')",
        ),
        needed=frozenset({"fastify"}),
        not_needed=frozenset({"eslint", "typescript", "vitest"}),
        # A body that is no JSON; FastAPI counts that among what is not valid (422).
        own_answers=frozenset({"createItem 400"}),
    ),
}
