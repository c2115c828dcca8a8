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
        needed, not_needed: patterns of paths that have to be, or may not be, in the image.
        own_answers: what only its framework answers, as `OPERATION STATUS`.
    """

    own: tuple[str, ...]
    key_files: tuple[str, ...]
    image: str
    needed: tuple[str, ...]
    not_needed: tuple[str, ...]
    own_answers: frozenset[str] = frozenset()


LANGUAGES = {
    "python-api": Language(
        own=("pyproject.toml", "scripts/*.py", "src/*", "tests/*.py"),
        key_files=("pyproject.toml",),
        image=r"python:\d+\.\d+\.\d+-",
        needed=("*/site-packages/fastapi/*", "*/site-packages/orders_api/*"),
        not_needed=("*/mypy/*", "*/pytest/*", "*/bin/ruff", "*/tests/test_items.py"),
    ),
    "node-ts-api": Language(
        own=(
            *("package.json", "package-lock.json", "tsconfig*.json", "*.config.*", ".prettier*"),
            *("scripts/*", "src/*", "tests/*"),
        ),
        key_files=("package.json",),
        image=r"node:\d+\.\d+\.\d+-",
        needed=("app/node_modules/fastify/*", "app/dist/src/main.js"),
        not_needed=(
            *(f"app/node_modules/{tool}/*" for tool in ("eslint", "typescript", "vitest")),
            "app/tests/*",
        ),
        # A body that is no JSON; FastAPI counts that among what is not valid (422).
        own_answers=frozenset({"createItem 400"}),
    ),
}
