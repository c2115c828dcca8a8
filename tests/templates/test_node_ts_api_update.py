"""node-ts-api: a service with a team's work in it is brought from 1.0.0 to 1.1.0."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from .conftest import Render
from .stories import TEMPLATES, Service, idp, run, tool

MIGRATION = TEMPLATES / "node-ts-api/releases/1.1.0/migrations/rename_problems.py"

INVOICES = """\
import type { FastifyReply } from "fastify";

import type { Problem } from "../problems.js";
import { sendProblem } from "../problems.js";

/** Refuse an invoice; the problems of a customer are ours. */
export function refuse(reply: FastifyReply, problem: Problem): FastifyReply {
  return sendProblem(reply, 409, problem.detail);
}
"""

INVOICES_TEST = """\
import { fastify } from "fastify";
import { expect, test, vi } from "vitest";

import { refuse } from "../src/billing/invoices.js";
import * as problems from "../src/problems.js";

vi.mock("../src/problems.js", { spy: true });

test("an invoice is refused", async () => {
  const app = fastify();
  app.get("/", (_request, reply) => refuse(reply, { type: "", title: "", status: 409 }));

  expect((await app.inject("/")).statusCode).toBe(409);
  expect(problems.sendProblem).toHaveBeenCalledOnce();
});
"""


@pytest.fixture
def lived_in(render: Render, tmp_path: Path) -> Service:
    """A service of release 1.0.0 with commits of its team."""
    service = render("node-ts-api@1.0.0", tmp_path / "orders-api")
    service.write("src/billing/invoices.ts", INVOICES)
    service.write("tests/invoices.test.ts", INVOICES_TEST)
    for name in ("src/items.ts", "tests/items.test.ts"):
        service.write(name, service.read(name).replace("is no such item", "is no such thing"))
    run(tool("git"), "add", "--all", cwd=service.path)
    run(tool("git"), "commit", "--quiet", "--message=Ours", cwd=service.path)
    return service


def test_the_teams_work_survives_and_follows_the_rename(lived_in: Service) -> None:
    idp("update-service", lived_in.path, "--to", "1.1.0")

    for name, before in (
        ("src/billing/invoices.ts", INVOICES),
        ("tests/invoices.test.ts", INVOICES_TEST),
    ):
        assert lived_in.read(name) == before.replace("problems.js", "problem-details.js")
    assert "is no such thing" in lived_in.read("src/items.ts")
    assert "src/problems.ts" not in lived_in.files()
    lived_in.make("setup", "lint", "test")


def test_it_then_differs_from_a_new_service_by_the_teams_work_alone(
    lived_in: Service, render: Render, tmp_path: Path
) -> None:
    idp("update-service", lived_in.path, "--to", "1.1.0")

    new = render("node-ts-api@1.1.0", tmp_path / "new" / "orders-api")
    ours = {
        *("src/billing/invoices.ts", "src/items.ts"),
        *("tests/invoices.test.ts", "tests/items.test.ts"),
    }
    assert set(lived_in.files()) - set(new.files()) <= ours
    for name in set(new.files()) - ours:
        assert lived_in.read(name) == new.read(name), name


class TestMigration:
    """The migration by itself; the merge has renamed the module, or will."""

    @pytest.fixture(params=["problems.ts", "problem-details.ts"])
    def shop(self, request: pytest.FixtureRequest, tmp_path: Path) -> Service:
        service = Service(tmp_path, "node-ts-api@1.0.0")
        service.write(f"src/{request.param}", "export const problem = 1;\n")
        return service

    @pytest.mark.parametrize(
        ("path", "before", "after"),
        [
            (
                "src/a.ts",
                "import { problem as p } from './problems.js';\nconst problems = [p];\r\n",
                "import { problem as p } from './problem-details.js';\nconst problems = [p];\r\n",
            ),
            (
                "src/deep/er/a.mts",
                'export type {\n  Problem,\n} from "../../problems.ts";\n',
                'export type {\n  Problem,\n} from "../../problem-details.ts";\n',
            ),
            (
                "tests/a.test.tsx",
                'const ü = await import("../src/problems.js");\nimport "../src/problems";\n',
                'const ü = await import("../src/problem-details.js");\n'
                'import "../src/problem-details";\n',
            ),
            (
                "tests/a.test.ts",
                'vi.mock(\n  "../src/problems.js",\n);\n'
                'vi.importActual<typeof import("../src/problems.js")>("../src/problems.js");\n',
                'vi.mock(\n  "../src/problem-details.js",\n);\n'
                'vi.importActual<typeof import("../src/problem-details.js")>'
                '("../src/problem-details.js");\n',
            ),
            (
                "a.cjs",
                'const p = require("./src/problems.js");\n',
                'const p = require("./src/problem-details.js");\n',
            ),
        ],
    )
    def test_it_rewrites_what_refers_to_the_module(
        self, shop: Service, path: str, before: str, after: str
    ) -> None:
        shop.write(path, before)

        assert migrate(shop) == f"{path}: imports problem-details\n"

        assert (shop.path / path).read_bytes() == after.encode()
        assert migrate(shop) == ""

    @pytest.mark.parametrize(
        ("path", "text"),
        [
            ("src/deep/a.ts", 'import { mine } from "./problems.js";\n'),
            ("src/a.ts", 'import { other } from "problems";\nconst problems = [];\n'),
            ("src/a.ts", 'import data from "./problems.json";\nopen("./problems.js");\n'),
            ("src/a.ts", 'import { other } from "a-package/problems.js";\n'),
            ("node_modules/a/a.js", 'import { p } from "../../src/problems.js";\n'),
            ("notes.txt", 'import { p } from "./src/problems.js";\n'),
        ],
    )
    def test_it_leaves_the_rest_alone(self, shop: Service, path: str, text: str) -> None:
        shop.write(path, text)

        assert migrate(shop) == ""
        assert shop.read(path) == text

    @pytest.mark.parametrize(
        "text", [b'import { p } from "@/problems.js";\n', b'import "./problems.js"; // \xff\n']
    )
    def test_it_says_what_it_leaves_to_a_person(self, shop: Service, text: bytes) -> None:
        (shop.path / "src/a.ts").write_bytes(text)

        assert migrate(shop).startswith("src/a.ts: not rewritten")
        assert (shop.path / "src/a.ts").read_bytes() == text

    def test_a_service_that_has_both_modules_is_left_alone(self, shop: Service) -> None:
        shop.write("src/problems.ts", "")
        shop.write("src/problem-details.ts", "")
        shop.write("src/a.ts", 'import "./problems.js";\n')

        assert migrate(shop) == ""
        assert shop.read("src/a.ts") == 'import "./problems.js";\n'


def migrate(service: Service) -> str:
    return run(sys.executable, MIGRATION, cwd=service.path)
