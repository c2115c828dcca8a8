import { randomUUID } from "node:crypto";

import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { FastifyInstance, InjectOptions } from "fastify";
import { expect, test } from "vitest";

import { createApp } from "../src/app.js";
import { InMemoryItems, type Item } from "../src/items.js";
import { readSettings } from "../src/settings.js";
import { createLogger, startTracing } from "../src/telemetry.js";

const NEW_ITEM: InjectOptions = { method: "POST", url: "/v1/items", payload: { name: "kettle" } };

class BrokenItems extends InMemoryItems {
  override add(): Promise<Item> {
    return Promise.reject(new Error("disk on fire"));
  }
}

/** Where log lines are kept. */
class Lines {
  readonly written: Record<string, unknown>[] = [];

  write(line: string): void {
    this.written.push(JSON.parse(line) as Record<string, unknown>);
  }
}

async function count(app: FastifyInstance, method: string, route: string, status: number) {
  const labels = [
    `http_request_method="${method}"`,
    `http_response_status_code="${String(status)}"`,
    `http_route="${route}"`,
  ].join();
  const { body } = await app.inject("/metrics");
  const [, rest = "0"] = body.split(`http_server_request_duration_seconds_count{${labels}} `);
  return Number.parseInt(rest, 10);
}

test("requests are counted by route, not by path", async () => {
  const app = await createApp();

  await app.inject(`/v1/items/${randomUUID()}`);
  await app.inject(`/v1/items/${randomUUID()}`);

  expect(await count(app, "GET", "/v1/items/{item_id}", 404)).toBe(2);
});

test("unknown paths and methods make no series of their own", async () => {
  const app = await createApp();

  // Fastify does not know of it, nor does the type.
  await app.inject({ method: "PROPFIND" as "GET", url: `/${randomUUID()}` });

  expect(await count(app, "_OTHER", "unmatched", 404)).toBe(1);
});

test("a path that cannot be read is observed, too", async () => {
  const app = await createApp();

  const answer = await app.inject({ url: "/%", headers: { "x-request-id": "r-1" } });

  expect(answer.statusCode).toBe(400);
  expect(answer.headers["x-request-id"]).toBe("r-1");
  expect(await count(app, "GET", "unmatched", 400)).toBe(1);
});

test("metrics are served and leave probes out", async () => {
  const app = await createApp();
  await app.inject("/healthz");
  await app.inject("/v1/items");

  const { body } = await app.inject("/metrics");

  expect(body).toContain('http_route="/v1/items"');
  expect(body).toContain("http_server_active_requests 0");
  expect(body).not.toContain("/healthz");
});

test("a request id is kept if it is sound", async () => {
  const app = await createApp();

  const given = await app.inject({ url: "/v1/items", headers: { "x-request-id": "abc-123" } });
  const forged = await app.inject({ url: "/v1/items", headers: { "x-request-id": "two words" } });

  expect(given.headers["x-request-id"]).toBe("abc-123");
  expect(forged.headers["x-request-id"]).toMatch(/^[0-9a-f]{32}$/);
});

test("a bug becomes a problem with a traceable log", async () => {
  const lines = new Lines();
  const logger = createLogger("INFO", lines);
  const tracerProvider = startTracing(readSettings({}), logger);
  const app = await createApp({ logger, store: new BrokenItems(), tracerProvider });
  const traceId = randomUUID().replaceAll("-", "");

  const answer = await app.inject({
    ...NEW_ITEM,
    headers: { "x-request-id": "r-1", traceparent: `00-${traceId}-${"1".repeat(16)}-01` },
  });

  expect(answer.statusCode).toBe(500);
  expect(answer.headers["x-request-id"]).toBe("r-1");
  expect(answer.json()).toEqual({
    type: "about:blank",
    title: "Internal Server Error",
    status: 500,
  });
  const [failed, request] = lines.written;
  expect(failed).toMatchObject({
    event: "request failed",
    level: "error",
    request_id: "r-1",
    trace_id: traceId,
    exception: { message: "disk on fire" },
  });
  expect(request).toMatchObject({ event: "request", route: "/v1/items", trace_id: traceId });
});

test("spans are named by route", async () => {
  const exporter = new InMemorySpanExporter();
  const spanProcessors = [new SimpleSpanProcessor({ exporter })];
  const app = await createApp({ tracerProvider: new TracerProvider({ spanProcessors }) });

  await app.inject("/v1/items");
  await app.inject("/readyz");

  expect(exporter.getFinishedSpans().map((span) => span.name)).toEqual(["GET /v1/items"]);
});
