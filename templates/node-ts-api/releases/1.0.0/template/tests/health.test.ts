import { expect, test } from "vitest";

import { createApp } from "../src/app.js";
import { Readiness } from "../src/health.js";

test("a started service is alive and ready", async () => {
  const app = await createApp();

  expect((await app.inject("/healthz")).json()).toEqual({ status: "ok" });
  expect((await app.inject("/readyz")).json()).toEqual({ status: "ready" });
});

test("a failing dependency makes it unready but not dead", async () => {
  const readiness = new Readiness();
  const app = await createApp({ readiness });
  readiness.checks.set("database", () => Promise.resolve(false));

  const answer = await app.inject("/readyz");
  expect(answer.statusCode).toBe(503);
  expect(answer.json()).toMatchObject({ detail: "Not ready: database." });
  expect((await app.inject("/healthz")).statusCode).toBe(200);
});

test("a stopping service is not ready", async () => {
  const readiness = new Readiness();
  const app = await createApp({ readiness });
  readiness.stopping = true;

  expect((await app.inject("/readyz")).json()).toMatchObject({ detail: "Not ready: stopping." });
});
