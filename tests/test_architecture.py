"""What CONTRIBUTING promises of the code, read from the code itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "idp"

ROOMS = """
errors clock rules
config plan output proc rest registry workshop
ledger git scaffold forge kube engine vault markdown daemon
catalog identity releases clone
workload
provider audit
policy budget request
road rollout
service env deploy secret docs dora cost survey doctor auth register snapshot guard
fleet portal template kpi
context
mcp
cli
__main__
"""
FLOOR = {
    room: floor for floor, line in enumerate(ROOMS.strip().splitlines()) for room in line.split()
}
FLOOR["idp"] = -1  # the package itself: nothing but its version

DRAWERS = {"utils", "util", "common", "helpers", "helper", "shared", "misc", "manager", "managers"}
ENVIRONMENT = {"context.py", "proc.py", "git.py", "output.py", "scaffold/tasks.py"}

# These work in folders that are idp's own: a cache, a scratch repository, the journal.
OWN_FOLDERS = {
    f"service/{n}.py"
    for n in ("journal", "renders", "scratch", "pending", "commands", "update_branch")
}
# These write into a draft, which `apply` then puts in its place.
DRAFTS = {"service/create.py:_run_tasks", "template/release.py:_folder"}
WRITING_METHODS = {"write_text", "write_bytes", "mkdir", "rmdir", "unlink", "rename", "chmod"}
WRITING_METHODS |= {"symlink_to", "touch", "rmtree", "copytree", "copy2", "copyfile", "move"}
WRITING_METHODS |= {"push"}
WRITING_GIT = {"push", "commit", "commit-tree", "update-ref", "unpack-objects", "update-index"}
WRITING_GIT |= {"tag --annotate", "remote add", "init", "add", "checkout", "reset", "branch"}
JOURNAL = {"journal.change", "journal.undo"}
FORGE = {"ship", "remove", "publication.make", "publication.settle"}
FORGE |= {"forge.propose", "forge.close_pull_request"}

STARTING = {"proc.py", "daemon.py", "provider/local/runner.py"}
"""The doors for processes: those that end with us, those that do not, and what supervises them."""

PROVIDED = {"rollout/shipping.py", "env/down.py", "env/extend.py"}
"""Where environments are changed; each is called from an apply."""

CHANGING = {"service", "template", "register", "secret"}
"""Rooms whose work changes the user's world."""

FILES = sorted(SOURCE.rglob("*.py"))
NAMES = [path.relative_to(SOURCE).as_posix() for path in FILES]
Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tree(name: str) -> ast.Module:
    return ast.parse((SOURCE / name).read_text("utf-8"))


def room(name: str) -> str:
    first = name.split("/")[0].removesuffix(".py")
    return "idp" if first == "__init__" else first


def imported(name: str) -> Iterator[str]:
    """Yield the rooms a file imports, wherever in it: type-only imports count as well."""
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name}:{node.lineno}: write imports in full"
            module = node.module or ""
            from_idp = [f"idp.{alias.name}" for alias in node.names]
            modules = from_idp if module == "idp" else [module]
        else:
            continue
        for module in modules:
            if module.split(".")[0] == "idp":
                part = module.split(".")[1] if "." in module else "idp"
                yield part if is_module(part) else "idp"


def is_module(part: str) -> bool:
    return (SOURCE / part).is_dir() or (SOURCE / f"{part}.py").is_file()


def functions(name: str) -> Iterator[Function]:
    yield from (n for n in ast.walk(tree(name)) if isinstance(n, Function))


def dotted(node: ast.expr) -> str:
    """Return `a.b` of a name or an attribute; only the last part where the rest is no name."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{before}.{node.attr}" if (before := dotted(node.value)) else node.attr
    return ""


@dataclass(frozen=True)
class Call:
    """A call and the functions around it, outermost first; "apply" is what carry_out is given."""

    line: int
    what: str
    words: tuple[str, ...]
    around: tuple[str, ...]


def calls(name: str) -> list[Call]:
    found: list[Call] = []

    def visit(node: ast.AST, around: tuple[str, ...]) -> None:
        if isinstance(node, Function):
            around = (*around, node.name)
        if isinstance(node, ast.Call):
            words = tuple(a.value for a in node.args if isinstance(a, ast.Constant))
            texts = tuple(word for word in words if isinstance(word, str))
            found.append(Call(node.lineno, dotted(node.func), texts, around))
            if dotted(node.func) == "road.carry_out":
                plan, apply, *others = node.args
                visit(apply, (*around, "apply"))
                for part in (node.func, plan, *others, *node.keywords):
                    visit(part, around)
                return
        for child in ast.iter_child_nodes(node):
            visit(child, around)

    visit(tree(name), ())
    return found


def is_apply(function: str) -> bool:
    return function.lstrip("_").startswith("apply")


def writes(call: Call) -> bool:
    last = call.what.rsplit(".", 1)[-1]
    if last in WRITING_METHODS or call.what in JOURNAL | FORGE or call.what == "os.replace":
        return True
    runs_git = last in ("run", "text") and call.what not in ("proc.run", "tasks.run_all")
    first_words = {call.words[:1], call.words[:2]}
    return runs_git and any(" ".join(words) in WRITING_GIT for words in first_words)


def only_from_applies(name: str) -> set[str]:
    """Return a file's functions that are reached from an apply, and from nowhere else."""
    all_calls, covered = calls(name), {"apply"}
    private = {f.name for f in functions(name) if f.name.startswith("_")}
    while True:
        callers = {
            f: [call.around for call in all_calls if call.what == f] for f in private - covered
        }
        more = {
            f
            for f, sites in callers.items()
            if sites and all(any(a in covered for a in around) for around in sites)
        }
        if not more:
            return covered
        covered |= more


@pytest.mark.parametrize("name", NAMES)
def test_a_room_imports_only_rooms_below_it(name: str) -> None:
    here = room(name)
    assert here in FLOOR, f"{here} has no floor: give it one in DESIGN.md and here"
    others = set(imported(name)) - {here}
    assert {other for other in others if FLOOR[other] >= FLOOR[here]} == set()


@pytest.mark.parametrize("name", NAMES)
def test_an_apply_is_given_to_carry_out_and_called_by_nothing_else(name: str) -> None:
    given = {
        id(node.args[1])
        for node in ast.walk(tree(name))
        if isinstance(node, ast.Call) and dotted(node.func) == "road.carry_out"
    }
    used = [
        node.lineno
        for node in ast.walk(tree(name))
        if isinstance(node, (ast.Name, ast.Attribute))
        and is_apply(dotted(node).rsplit(".", 1)[-1])
        and isinstance(node.ctx, ast.Load)
        and id(node) not in given
        and not dotted(node).endswith("provider.apply")  # its own verb: see the rollout's rule
    ]
    assert used == [] or (name == "road.py" and len(used) == 1), used


@pytest.mark.parametrize("name", sorted(set(NAMES) - PROVIDED))
def test_a_provider_is_changed_by_a_rollout_or_a_removal_alone(name: str) -> None:
    verbs = {"apply", "extend", "delete", "switch", "retire"}
    places = {"provider", "traffic"}
    parts = [(call.line, call.what.split(".")) for call in calls(name)]
    assert [line for line, said in parts if said[-1] in verbs and places & set(said[:-1])] == []


def test_every_apply_has_its_way_to_the_road() -> None:
    """Otherwise the test above could hold for want of applies."""
    roads = {name for name in NAMES for call in calls(name) if call.what == "road.carry_out"}
    assert roads >= {"auth.py", "service/create.py", "service/update.py", "template/release.py"}


@pytest.mark.parametrize(
    "name", [n for n in NAMES if room(n) in ("service", "template", "register", "env", "deploy")]
)
def test_what_changes_the_users_world_is_reached_through_an_apply(name: str) -> None:
    covered = only_from_applies(name)
    stray = [
        f"{call.line}: {call.what} {' '.join(call.words[:1])}"
        for call in calls(name)
        if writes(call)
        and name not in OWN_FOLDERS
        and not covered.intersection(call.around)
        and f"{name}:{call.around[0] if call.around else ''}" not in DRAFTS
    ]
    assert stray == []


@pytest.mark.parametrize("name", [n for n in NAMES if room(n) in ("cli", "__main__", "plan")])
def test_a_command_writes_nothing_itself(name: str) -> None:
    assert [f"{call.line}: {call.what}" for call in calls(name) if writes(call)] == []


@pytest.mark.parametrize("name", NAMES)
def test_no_file_is_longer_than_400_lines(name: str) -> None:
    assert len((SOURCE / name).read_text("utf-8").splitlines()) <= 400


@pytest.mark.parametrize("name", NAMES)
def test_no_module_is_a_drawer(name: str) -> None:
    assert DRAWERS.isdisjoint(name.removesuffix(".py").split("/"))


@pytest.mark.parametrize("name", NAMES)
def test_no_function_is_longer_than_45_lines(name: str) -> None:
    """Docstrings do not count, nor does the list of options that declares a command."""
    long = [f"{f.name}: {length(f)}" for f in functions(name) if length(f) > 45]
    assert long == []


def length(function: Function) -> int:
    is_command = any(isinstance(d, ast.Call) for d in function.decorator_list)
    body = function.body[1:] if ast.get_docstring(function) else function.body
    start = body[0].lineno if is_command and body else function.lineno
    docstring = function.body[0]
    doc = 0 if is_command or body == function.body else lines_of(docstring)
    return (function.end_lineno or start) - start + 1 - doc


def lines_of(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("name", sorted(set(NAMES) - ENVIRONMENT))
def test_the_environment_is_read_in_few_places(name: str) -> None:
    used = [
        node.lineno
        for node in ast.walk(tree(name))
        if isinstance(node, ast.expr) and dotted(node) in ("os.environ", "os.getenv")
    ]
    assert used == [], "take it from the context"
    assert "os" not in from_imports(name), "write os.NAME, so that it is seen"


@pytest.mark.parametrize("name", NAMES)
def test_what_is_public_says_what_it_is_for(name: str) -> None:
    assert ast.get_docstring(tree(name)), f"{name} has no docstring"
    silent = [node.name for node in public(tree(name)) if not ast.get_docstring(node)]
    assert silent == []


def public(parent: ast.AST) -> Iterator[Function | ast.ClassDef]:
    """Yield public classes and functions, those inside public classes too, not inside functions."""
    for node in ast.iter_child_nodes(parent):
        if isinstance(node, (Function, ast.ClassDef)) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public(node)


@pytest.mark.parametrize("module", ["copier", "httpx", "git", "sqlalchemy", "kubernetes"])
def test_each_foreign_system_has_one_door(module: str) -> None:
    doors = {"copier": {"scaffold"}, "httpx": {"rest"}, "git": {"git"}}
    doors |= {"sqlalchemy": {"ledger"}, "kubernetes": {"kube"}}
    users = {room(name) for name in NAMES if module in foreign(name)}
    assert users <= doors[module]


@pytest.mark.parametrize("name", sorted(set(NAMES) - STARTING))
def test_a_process_is_started_by_proc_alone(name: str) -> None:
    assert "subprocess" not in foreign(name)
    assert [c.line for c in calls(name) if c.what in ("os.system", "os.fork", "os.popen")] == []


def foreign(name: str) -> set[str]:
    nodes = ast.walk(tree(name))
    plain = {a.name.split(".")[0] for n in nodes if isinstance(n, ast.Import) for a in n.names}
    return plain | from_imports(name)


def from_imports(name: str) -> set[str]:
    nodes = ast.walk(tree(name))
    return {(n.module or "").split(".")[0] for n in nodes if isinstance(n, ast.ImportFrom)}
