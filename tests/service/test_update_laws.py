"""Laws that hold for any edit: told once, tried on many.

IDP_LAW_EXAMPLES asks for more and other examples than the few that are tried in every run.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import Create
from .stories import (
    ANSWERS,
    Content,
    Link,
    Script,
    Service,
    Template,
    difference,
    files_below,
    idp,
    numbered,
)

LENGTH = 40
THEIRS = {4: "theirs", 20: "theirs too", 36: "theirs three"}
# Lines so far from the template's that git sees two changes, not one.
OURS = [n for n in range(1, LENGTH + 1) if all(abs(n - line) > 2 for line in THEIRS)]
NAMES = ("a.py", "src/b.txt", "ünï code.md", "run.sh")

EXAMPLES = int(os.environ.get("IDP_LAW_EXAMPLES") or 0)

# The same few examples in every run, or many new ones: IDP_LAW_EXAMPLES=500.
quick = settings(
    max_examples=EXAMPLES or 12,
    deadline=None,
    derandomize=not EXAMPLES,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
words = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=20
)
edits = st.dictionaries(st.sampled_from(OURS), words.map(lambda word: f"mine {word}"), max_size=9)
edited_files = st.dictionaries(st.sampled_from(NAMES), edits, max_size=4)
contents: st.SearchStrategy[Content] = st.one_of(
    st.binary(max_size=60),
    words,
    words.map(Script),
    st.sampled_from(["a.py", "nowhere", "../out", "/dev/null"]).map(Link),
)
own_names = st.builds(
    "mine{}/{}".format, st.sampled_from(["", "-1", " 2", "ü"]), st.sampled_from(["a", "b c", "-d"])
)
own_files = st.dictionaries(own_names, contents, max_size=5)


class World:
    """A service on v1, a v2 for it, and fresh copies of it."""

    def __init__(self, pristine: Service, place: Path) -> None:
        self._pristine = pristine
        self._places: Iterator[Path] = (place / str(n) for n in itertools.count())

    def service(self) -> Service:
        return self._pristine.copy(next(self._places))


@pytest.fixture
def world(template: Template, create: Create, tmp_path: Path) -> World:
    template.release("v1", {**dict.fromkeys(NAMES, numbered(LENGTH)), "gone": "1\n"})
    template.release(
        "v2",
        {**dict.fromkeys(NAMES, numbered(LENGTH, THEIRS)), "gone": None, "new/file": "2\n"},
    )
    return World(create(), tmp_path / "worlds")


@quick
@given(edited_files)
def test_edits_where_the_template_changed_nothing_always_survive(
    world: World, ours: dict[str, dict[int, str]]
) -> None:
    pay = world.service()
    pay.commit({name: numbered(LENGTH, changed) for name, changed in ours.items()})
    run = pay.update("v2")
    assert run.code == 0
    for name in NAMES:
        assert pay.read(name) == numbered(LENGTH, {**THEIRS, **ours.get(name, {})})


@quick
@given(own_files, own_files)
def test_files_of_our_own_always_survive(
    world: World, committed: dict[str, Content], untracked: dict[str, Content]
) -> None:
    pay = world.service()
    pay.commit(committed)
    pay.write(untracked)
    before = files_below(pay.path)
    status = pay.status()
    assert pay.update("v2").code == 0
    after = files_below(pay.path)
    for name in before:
        if name.startswith("mine"):
            assert after[name] == before[name]
    assert {n: s for n, s in pay.status().items() if n.startswith("mine")} == status


anything = st.dictionaries(
    st.sampled_from([*NAMES, "gone", "new/file"]),
    st.one_of(
        st.none(),
        st.dictionaries(st.integers(1, LENGTH), words, max_size=6).map(
            lambda changed: numbered(LENGTH, changed)
        ),
        st.binary(max_size=40),
        words.map(Script),
    ),
    max_size=4,
)


@quick
@given(anything, anything)
def test_a_dry_run_changes_nothing_and_ends_as_the_real_one(
    world: World, committed: dict[str, Content], in_progress: dict[str, Content]
) -> None:
    pay = world.service()
    pay.commit(committed)
    pay.write(in_progress)
    with pay.untouched():
        dry = pay.update("v2", "--dry-run")
    before = pay.fingerprint()
    real = pay.update("v2")
    assert dry.code == real.code
    if real.code in (0, 7):
        assert dry.json["files"] == real.json["files"]
    else:
        assert real.code == 5
        assert pay.fingerprint() == before


@quick
@given(anything)
def test_no_line_of_ours_is_ever_gone(world: World, committed: dict[str, Content]) -> None:
    pay = world.service()
    pay.commit(committed)
    was = {name: (pay.path / name).read_bytes() for name in pay.tracked() if name != ANSWERS}
    assert pay.update("v2").code in (0, 7)
    template = set(numbered(LENGTH).encode().splitlines()) | {b"1"}
    for name, content in was.items():
        lines = {line for line in content.splitlines() if line not in template}
        if lines:
            assert pay.has(name)
            assert lines <= set((pay.path / name).read_bytes().splitlines())


@quick
@given(edited_files)
def test_the_same_update_again_changes_nothing(
    world: World, ours: dict[str, dict[int, str]]
) -> None:
    pay = world.service()
    pay.commit({name: numbered(LENGTH, changed) for name, changed in ours.items()})
    assert pay.update("v2").code == 0
    with pay.untouched():
        assert pay.update("v2").code == 0


@quick
@given(edited_files)
def test_there_and_back_is_where_we_were(world: World, ours: dict[str, dict[int, str]]) -> None:
    pay = world.service()
    pay.commit({name: numbered(LENGTH, changed) for name, changed in ours.items()})
    tree = pay.git("rev-parse", "HEAD^{tree}")
    assert pay.update("v2", "--commit").code == 0
    assert pay.update("v1", "--commit").code == 0
    assert pay.git("rev-parse", "HEAD^{tree}") == tree


releases = st.lists(anything, min_size=2, max_size=3)


@settings(quick, max_examples=EXAMPLES or 8)
@given(releases)
def test_without_edits_an_update_is_the_new_release(
    tmp_path_factory: pytest.TempPathFactory, home: Path, steps: list[dict[str, Content]]
) -> None:
    place = tmp_path_factory.mktemp("law")
    template = Template(place / "template")
    for number, files in enumerate(steps, 1):
        template.release(f"v{number}", files)
    last = f"v{len(steps)}"

    def make(name: str, version: str) -> Service:
        run = idp(
            *("create-service", "pay", "--template", template.at(version)),
            *("--dest", place / name, "--defaults", "--json"),
        )
        assert run.code == 0, run.everything
        return Service(place / name)

    direct, stepwise, fresh = make("direct", "v1"), make("stepwise", "v1"), make("fresh", last)
    assert direct.update(last, "--commit").code == 0
    for number in range(2, len(steps) + 1):
        assert stepwise.update(f"v{number}", "--commit").code == 0
    tree = fresh.git("rev-parse", "HEAD^{tree}")
    assert direct.git("rev-parse", "HEAD^{tree}") == tree
    assert stepwise.git("rev-parse", "HEAD^{tree}") == tree


# --- both sides do anything at all -------------------------------------------------------------

FILES = ("f0", "f1", "d/f2", "d/f3")
PLACES = ("f0", "f1", "d/f2", "d/f3", "d", "f0/x", "moved", "d/e/moved", "e/moved")
Step = tuple[str, str, str, int]
steps = st.lists(
    st.tuples(
        st.sampled_from(["edit", "edit", "edit", "rename", "delete", "add", "chmod", "link"]),
        st.sampled_from(FILES),
        st.sampled_from(PLACES),
        st.integers(0, 29),
    ),
    max_size=5,
)


def evolve(steps: list[Step], who: str) -> dict[str, list[str] | Link]:
    """Return what becomes of our files when one side takes these steps."""
    tree: dict[str, list[str] | Link] = {
        name: [f"{name} line {n}" for n in range(30)] for name in FILES
    }
    for number, (what, name, place, line) in enumerate(steps):
        held = tree.get(name)
        free = not any(p == place or p.startswith(f"{place}/") for p in tree)
        free = free and not any(place.startswith(f"{p}/") for p in tree if p != name)
        match what, held:
            case "edit", list():
                held[line % len(held)] = f"{who} {number}"
            case "rename", list() if free:
                tree[place] = tree.pop(name)
            case "delete", list():
                del tree[name]
            case "add", _ if free and not any(place.startswith(f"{p}/") for p in tree):
                tree[place] = [f"{who} {number}"]
            case "link", list():
                tree[name] = Link(f"{who}-{number}")
            case "chmod", list():
                held.append("#!")
    return tree


def as_files(tree: dict[str, list[str] | Link]) -> dict[str, Content]:
    texts = {n: h if isinstance(h, Link) else "\n".join(h) + "\n" for n, h in tree.items()}
    made: dict[str, Content] = {}
    for name, text in texts.items():
        runs = isinstance(text, str) and "#!" in text
        made[name] = Script(text) if runs and isinstance(text, str) else text
    return dict.fromkeys(set(FILES) - set(made)) | made


@settings(quick, max_examples=EXAMPLES or 15)
@given(steps, steps)
def test_whatever_both_sides_do_nothing_of_ours_is_lost(
    tmp_path_factory: pytest.TempPathFactory, home: Path, theirs: list[Step], ours: list[Step]
) -> None:
    place = tmp_path_factory.mktemp("law")
    template = Template(place / "template")
    links = "_preserve_symlinks: true\n"
    template.write({"copier.yml": f"name: {{type: str}}\n{links}"})
    template.release("v1", as_files(evolve([], "")))
    template.release("v2", as_files(evolve(theirs, "theirs")))
    run = idp(
        *("create-service", "pay", "--template", template.at("v1")),
        *("--dest", place / "pay", "--defaults", "--json"),
    )
    assert run.code == 0, run.everything
    pay = Service(place / "pay")
    mine = evolve(ours, "ours")
    pay.commit(as_files(mine))
    with pay.untouched():
        dry = pay.update("v2", "--dry-run")
    old = pay.fingerprint()
    run = pay.update("v2")
    assert run.code in (0, 7), run.everything
    assert (dry.code, dry.json["files"]) == (run.code, run.json["files"])
    told = {path for path, outcome in run.outcomes.items() if outcome == "conflict"}
    assert told == set(pay.index_stages())
    here = lines_below(pay.path)
    for held in mine.values():
        wanted = {held.target} if isinstance(held, Link) else set(held)
        assert {line for line in wanted if line.startswith("ours")} <= here
    if run.code == 0:
        with pay.untouched():
            assert pay.update("v2").code == 0
    assert pay.update("", "--abort").code == 0
    assert not (odd := difference(old, pay.fingerprint())), odd


def lines_below(root: Path) -> set[str]:
    """Return every line of every file, and every link's target."""
    found: set[str] = set()
    for name in files_below(root):
        path = root / name
        found |= {str(path.readlink())} if path.is_symlink() else set(path.read_text().split("\n"))
    return found
