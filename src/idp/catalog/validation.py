"""Whether a stock Backstage takes a document, and everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from idp.catalog import envelope
from idp.catalog.entity import Entity
from idp.catalog.placeholders import Surroundings, substitute
from idp.catalog.problem import KeyPath, Problem
from idp.catalog.reading import TEMPLATING, Document, read
from idp.catalog.ref import DEFAULT_NAMESPACE, Ref
from idp.catalog.relations import mentions
from idp.catalog.shapes import Findings, Record, told


@dataclass(frozen=True)
class Judged:
    """A document and the verdict on it.

    Attributes:
        document: what was read.
        entity: what it is in the catalog, None if it is no entity.
        problems: all that is wrong with it, in the file's order.
        is_skeleton: it is invalid because a template's marks are in it.
    """

    document: Document
    entity: Entity | None
    problems: tuple[Problem, ...]
    is_skeleton: bool = False

    @property
    def ok(self) -> bool:
        """Whether it is valid."""
        return not any(problem.level == "error" for problem in self.problems)

    @property
    def would_be(self) -> str:
        """The ref it has, or would have if it were valid; empty if it cannot be named."""
        if self.entity:
            return str(self.entity.ref)
        match self.document.data:
            case {"kind": str(kind), "metadata": {"name": str(name), **metadata}}:
                return str(Ref(kind, str(metadata.get("namespace", DEFAULT_NAMESPACE)), name))
        return ""

    def with_problems(self, more: Iterable[Problem]) -> Judged:
        """Return it with more problems."""
        return replace(self, problems=tuple(sorted({*self.problems, *more})))


def judge_file(content: bytes, around: Surroundings | None) -> list[Judged]:
    """Judge each document of a file; documents without content are passed over.

    A file without any entity gets one verdict that says so.
    """
    documents = [one for one in read(content) if one.problems or one.data is not None]
    if documents:
        # Most files have no placeholder: none is looked for where nothing has its mark.
        around = around if b"$" in content else None
        return [judge(document, around) for document in documents]
    nothing = Problem(1, 1, "", "there is no entity in this file", "add one, or remove the file")
    return [Judged(Document(1), None, (nothing,))]


def judge(document: Document, around: Surroundings | None) -> Judged:
    """Judge one document as Backstage does, but tell every problem at once.

    Args:
        around: where its placeholders lead; None if it has none.
    """
    found = Findings(document, list(document.problems))
    entity = None
    if isinstance(document.data, dict):
        data = substitute(document.data, around, found) if around else document.data
        entity = _entity(data, found)
    elif not document.problems:
        message = f"a document must be a mapping, not {told(document.data)}"
        hint = "begin with apiVersion, kind, metadata and spec"
        found.add((), message, hint, rule="envelope")
    if any(problem.rule != "placeholder" for problem in found.problems):
        entity = None
    if not found.problems:
        return Judged(document, entity, ())
    problems = tuple(sorted(set(found.problems)))
    return Judged(document, entity, problems, _is_skeleton(document, found))


def _entity(data: dict[str, Any], found: Findings) -> Entity | None:
    """Judge a mapping; return the entity it would be, None if it cannot be named."""
    kind = envelope.check(data, found)
    if kind is None:
        return None
    Record({"spec": kind.spec}, ("spec",)).check(data, (), found, "spec")
    metadata, spec = data.get("metadata"), data.get("spec")
    if not isinstance(metadata, dict) or not isinstance(spec, dict):
        return None
    name, namespace = metadata.get("name"), metadata.get("namespace", DEFAULT_NAMESPACE)
    mentioned = tuple(mentions(kind, namespace, spec, found))
    version = data.get("apiVersion")
    if not isinstance(name, str) or not isinstance(namespace, str) or not isinstance(version, str):
        return None
    return Entity(version, data["kind"], namespace, name, data, mentioned)


def _is_skeleton(document: Document, found: Findings) -> bool:
    """Tell whether a document fails for a template's marks in it."""
    data = document.data
    if document.is_templated or not isinstance(data, dict):
        return document.is_templated
    return data.get("kind") != "Template" and any(_has_marks(data, path) for path in found.paths)


def _has_marks(node: Any, path: KeyPath) -> bool:
    """Tell whether a key on the path, or what it leads to, has a template's marks."""
    for part in path:
        if isinstance(part, str) and TEMPLATING.search(part):
            return True
        try:
            node = node[part]
        except (LookupError, TypeError):
            return False
    if isinstance(node, dict):  # `{{ name }}` without quotes
        return any(key.startswith("{ ") for key in node)
    return isinstance(node, str) and bool(TEMPLATING.search(node))
