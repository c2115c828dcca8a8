"""python-api: a service with a team's work in it is brought from 1.0.0 to 1.1.0."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from .conftest import Render
from .stories import TEMPLATES, Service, idp, run, tool

MIGRATION = TEMPLATES / "python-api/releases/1.1.0/migrations/rename_problems.py"

INVOICES = '''\
"""Invoices, which the template knows nothing of."""

from fastapi.responses import JSONResponse

from .. import problems
from ..problems import Problem, problem_response


def refuse(problem: Problem) -> JSONResponse:
    """Refuse an invoice; the problems of a customer are ours."""
    return problem_response(409, problem.detail or problems.Problem.__name__)
'''

INVOICES_TEST = """\
import pytest

import orders_api.problems
from orders_api.billing.invoices import refuse
from orders_api.problems import Problem


def test_an_invoice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders_api.problems.Problem", orders_api.problems.Problem)

    assert refuse(Problem(title="Conflict", status=409)).status_code == 409
    assert orders_api.problems.Problem is Problem
"""


@pytest.fixture
def lived_in(render: Render, tmp_path: Path) -> Service:
    """A service of release 1.0.0 with commits of its team."""
    service = render("python-api@1.0.0", tmp_path / "orders-api")
    service.write("src/orders_api/billing/__init__.py", '"""Billing."""\n')
    service.write("src/orders_api/billing/invoices.py", INVOICES)
    service.write("tests/test_invoices.py", INVOICES_TEST)
    items = service.read("src/orders_api/items.py")
    service.write("src/orders_api/items.py", items.replace("is no such item", "is no such thing"))
    tests = service.read("tests/test_items.py")
    service.write("tests/test_items.py", tests.replace("is no such item", "is no such thing"))
    run(tool("git"), "add", "--all", cwd=service.path)
    run(tool("git"), "commit", "--quiet", "--message=Ours", cwd=service.path)
    return service


def test_the_teams_work_survives_and_follows_the_rename(lived_in: Service) -> None:
    idp("update-service", lived_in.path, "--to", "1.1.0")

    invoices = lived_in.read("src/orders_api/billing/invoices.py")
    assert invoices == INVOICES.replace("import problems", "import problem_details").replace(
        "..problems", "..problem_details"
    ).replace("problems.Problem", "problem_details.Problem")
    assert "is no such thing" in lived_in.read("src/orders_api/items.py")
    assert "problems.py" not in {Path(name).name for name in lived_in.files()}
    lived_in.make("lint", "test")


def test_it_then_differs_from_a_new_service_by_the_teams_work_alone(
    lived_in: Service, render: Render, tmp_path: Path
) -> None:
    idp("update-service", lived_in.path, "--to", "1.1.0")

    new = render("python-api@1.1.0", tmp_path / "new" / "orders-api")
    ours = {
        *("src/orders_api/billing/__init__.py", "src/orders_api/billing/invoices.py"),
        *("src/orders_api/items.py", "tests/test_invoices.py", "tests/test_items.py"),
    }
    assert set(lived_in.files()) - set(new.files()) <= ours
    for name in set(new.files()) - ours:
        assert lived_in.read(name) == new.read(name), name


class TestMigration:
    """The migration by itself; the merge has renamed the module, or will."""

    @pytest.fixture(params=["problems.py", "problem_details.py"])
    def shop(self, request: pytest.FixtureRequest, tmp_path: Path) -> Service:
        service = Service(tmp_path, "python-api@1.0.0")
        service.write(f"src/shop/{request.param}", "def problem_response(): ...\n")
        return service

    @pytest.mark.parametrize(
        ("path", "before", "after"),
        [
            (
                "src/shop/a.py",
                "from .problems import problem_response as answer\n",
                "from .problem_details import problem_response as answer\n",
            ),
            (
                "src/shop/deep/er/a.py",
                "from ...problems import (\n    a,\n    problems,\n)\n",
                "from ...problem_details import (\n    a,\n    problems,\n)\n",
            ),
            (
                "tests/test_a.py",
                "from shop import items, problems\nx = 'ü', problems.a(problems)\r\n",
                "from shop import items, problem_details\n"
                "x = 'ü', problem_details.a(problem_details)\r\n",
            ),
            (
                "tests/test_a.py",
                "from shop import problems as p\nproblems = p.x\n",
                "from shop import problem_details as p\nproblems = p.x\n",
            ),
            (
                "scripts/a.py",
                "import shop.problems\nshop.problems.a(shop.problems)\n",
                "import shop.problem_details\nshop.problem_details.a(shop.problem_details)\n",
            ),
            (
                "tests/test_a.py",
                "patch('shop.problems.a', 'shop.problems', 'my.shop.problems', 'problems')\n",
                "patch('shop.problem_details.a', 'shop.problem_details', "
                "'my.shop.problems', 'problems')\n",
            ),
        ],
    )
    def test_it_rewrites_what_refers_to_the_module(
        self, shop: Service, path: str, before: str, after: str
    ) -> None:
        shop.write(path, before)

        assert migrate(shop) == f"{path}: imports problem_details\n"

        assert (shop.path / path).read_bytes() == after.encode()
        assert migrate(shop) == ""

    @pytest.mark.parametrize(
        ("path", "text"),
        [
            ("src/shop/deep/a.py", "from .problems import mine\n"),
            ("src/shop/a.py", "from problems import other\nproblems = []\n"),
            ("src/shop/a.py", "# from .problems import x\nx = 'from .problems import y'\n"),
            (".venv/lib/a.py", "from shop.problems import a\n"),
            ("notes.txt", "from shop.problems import a\n"),
        ],
    )
    def test_it_leaves_the_rest_alone(self, shop: Service, path: str, text: str) -> None:
        shop.write(path, text)

        assert migrate(shop) == ""
        assert shop.read(path) == text

    @pytest.mark.parametrize(
        "text",
        ["from .problems import (\n", "from . import problems\ndef f(problems): ...\n"],
    )
    def test_it_says_what_it_leaves_to_a_person(self, shop: Service, text: str) -> None:
        shop.write("src/shop/a.py", text)

        assert migrate(shop).startswith("src/shop/a.py: not rewritten")
        assert shop.read("src/shop/a.py") == text

    def test_a_service_that_has_both_modules_is_left_alone(self, shop: Service) -> None:
        shop.write("src/shop/problems.py", "")
        shop.write("src/shop/problem_details.py", "")
        shop.write("src/shop/a.py", "from .problems import a\n")

        assert migrate(shop) == ""
        assert shop.read("src/shop/a.py") == "from .problems import a\n"

    def test_a_package_may_have_the_name_of_the_module(self, tmp_path: Path) -> None:
        service = Service(tmp_path, "python-api@1.1.0")
        service.write("src/problems/problem_details.py", "")
        service.write("tests/test_a.py", "from problems.problems import a\nimport problems.b\n")

        migrate(service)

        assert service.read("tests/test_a.py") == (
            "from problems.problem_details import a\nimport problems.b\n"
        )


def migrate(service: Service) -> str:
    return run(sys.executable, MIGRATION, cwd=service.path)
