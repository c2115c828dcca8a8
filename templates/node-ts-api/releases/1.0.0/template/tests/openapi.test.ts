import { readFileSync } from "node:fs";

import { expect, test } from "vitest";
import { parse } from "yaml";

import { createApp } from "../src/app.js";

test("openapi.yaml says what the code does", async () => {
  const app = await createApp();

  const published: unknown = parse(readFileSync("openapi.yaml", "utf8"));
  const served = (await app.inject("/openapi.json")).json<unknown>();

  expect(published, "run `make openapi`").toEqual(served);
});
