import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { sloRules } from "../scripts/slo-rules.js";

test("alert rules are made from slo.yaml", () => {
  const made = sloRules(readFileSync("slo.yaml", "utf8"));

  expect(readFileSync("observability/slo-rules.yaml", "utf8"), "run `make slo`").toBe(made);
});

test("a period that the burn rates are not for is refused", () => {
  const slo = readFileSync("slo.yaml", "utf8").replaceAll("duration: 30d", "duration: 7d");

  expect(() => sloRules(slo)).toThrow("for 30d");
});
