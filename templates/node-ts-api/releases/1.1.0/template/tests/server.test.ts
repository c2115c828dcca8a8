import { EventEmitter } from "node:events";
import type { AddressInfo } from "node:net";

import { afterEach, expect, test } from "vitest";

import { createApp } from "../src/app.js";
import { Readiness } from "../src/health.js";
import { InMemoryItems, type Item, type NewItem } from "../src/items.js";
import { serve } from "../src/server.js";

class SlowItems extends InMemoryItems {
  readonly events = new EventEmitter();
  readonly started = new Promise<void>((resolve) => this.events.once("started", resolve));
  readonly #finish = new Promise<void>((resolve) => this.events.once("finish", resolve));

  override async add(item: NewItem): Promise<Item> {
    this.events.emit("started");
    await this.#finish;
    return super.add(item);
  }
}

/** A server on a free port. */
class Running {
  readonly store = new SlowItems();
  readonly signals = new EventEmitter();
  readonly readiness = new Readiness();
  url = "";
  ended = Promise.resolve();

  async start(drainSeconds = 0, shutdownTimeoutSeconds = 3600): Promise<void> {
    const app = await createApp({ store: this.store, readiness: this.readiness });
    const limits = { bindAddress: "127.0.0.1", port: 0, drainSeconds, shutdownTimeoutSeconds };
    const listening = new Promise<void>((resolve) => {
      app.addHook("onListen", (done) => {
        resolve();
        done();
      });
    });
    this.ended = serve(app, this.readiness, limits, this.signals);
    await listening;
    this.url = `http://127.0.0.1:${String((app.server.address() as AddressInfo).port)}`;
  }

  get(path: string): Promise<Response> {
    return fetch(`${this.url}${path}`);
  }

  create(): Promise<Response> {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ name: "kettle" });
    return fetch(`${this.url}/v1/items`, { method: "POST", headers, body });
  }

  stop(): void {
    this.signals.emit("SIGTERM");
  }
}

let running = new Running();

afterEach(async () => {
  running.stop();
  running.stop();
  await running.ended;
  running = new Running();
});

test("told to stop, it lets a request in flight finish", async () => {
  await running.start();
  const request = running.create();
  await running.store.started;

  running.stop();
  running.store.events.emit("finish");

  expect((await request).status).toBe(201);
  await running.ended;
});

test("while it drains it serves but is not ready", async () => {
  await running.start(3600);
  expect((await running.get("/v1/items")).headers.get("connection")).toBe("keep-alive");

  running.stop();

  const served = await running.get("/v1/items");
  expect([served.status, served.headers.get("connection")]).toEqual([200, "close"]);
  expect((await running.get("/readyz")).status).toBe(503);
});

test("a request that takes too long is given up", async () => {
  await running.start(0, 0);
  const request = running.create();
  await running.store.started;

  running.stop();

  await expect(request).rejects.toThrow();
  await running.ended;
});

test("told a second time, it does not wait", async () => {
  await running.start();
  const request = running.create();
  await running.store.started;

  running.stop();
  running.stop();

  await expect(request).rejects.toThrow();
  await running.ended;
});
