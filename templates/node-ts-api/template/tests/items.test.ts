import { randomUUID } from "node:crypto";

import type { FastifyInstance } from "fastify";
import { beforeEach, expect, test } from "vitest";

import { createApp } from "../src/app.js";
import type { Item } from "../src/items.js";
import type { Problem } from "../src/problem-details.js";

let app: FastifyInstance;

beforeEach(async () => {
  app = await createApp();
});

async function create(name: string): Promise<string> {
  const answer = await app.inject({ method: "POST", url: "/v1/items", payload: { name } });
  expect(answer.statusCode).toBe(201);
  return answer.json<Item>().id;
}

test("a created item can be read where it says", async () => {
  const created = await app.inject({
    method: "POST",
    url: "/v1/items",
    payload: { name: "  Blue kettle ", quantity: 2 },
  });

  expect(created.statusCode).toBe(201);
  expect(created.json()).toMatchObject({ name: "Blue kettle", quantity: 2 });
  const read = await app.inject(String(created.headers.location));
  expect(read.json()).toEqual(created.json());
});

test("pages follow each other without gap or overlap", async () => {
  const ids: string[] = [];
  for (let number = 0; number < 5; number++) {
    ids.push(await create(`item ${String(number)}`));
  }

  const seen: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const query: Record<string, string> = { limit: "2", ...(cursor && { cursor }) };
    const answer = await app.inject({ url: "/v1/items", query });
    const page = answer.json<{ items: Item[]; next_cursor: string | null }>();
    seen.push(...page.items.map((item) => item.id));
    cursor = page.next_cursor;
  }

  expect(seen).toEqual(ids);
});

test.each([
  [{}, "/body/name"],
  [{ name: "  " }, "/body/name"],
  [{ name: "kettle", quantity: 0 }, "/body/quantity"],
  [{ name: "kettle", "colour/hue": "blue" }, "/body/colour~1hue"],
])("an invalid item is refused and told where: %j", async (payload, pointer) => {
  const answer = await app.inject({ method: "POST", url: "/v1/items", payload });

  expect(answer.statusCode).toBe(422);
  expect(answer.headers["content-type"]).toBe("application/problem+json");
  expect(answer.json<Problem>().errors?.map((error) => error.pointer)).toEqual([pointer]);
});

test.each([
  ["/v1/items?limit=0", "/query/limit"],
  ["/v1/items/kettle", "/path/item_id"],
])("an invalid parameter is refused and told where: %s", async (url, pointer) => {
  const answer = await app.inject(url);

  expect(answer.statusCode).toBe(422);
  expect(answer.json<Problem>().errors?.map((error) => error.pointer)).toEqual([pointer]);
});

test("a body that is no JSON is a problem", async () => {
  const headers = { "content-type": "application/json" };
  const answer = await app.inject({ method: "POST", url: "/v1/items", headers, payload: "{" });

  expect(answer.statusCode).toBe(400);
  expect(answer.headers["content-type"]).toBe("application/problem+json");
});

test("a missing item is a problem", async () => {
  const answer = await app.inject(`/v1/items/${randomUUID()}`);

  expect(answer.headers["content-type"]).toBe("application/problem+json");
  expect(answer.json()).toEqual({
    type: "about:blank",
    title: "Not Found",
    status: 404,
    detail: "There is no such item.",
  });
});

test("a cursor from elsewhere is refused", async () => {
  const answer = await app.inject({ url: "/v1/items", query: { cursor: randomUUID() } });

  expect(answer.statusCode).toBe(400);
  expect(answer.json()).toMatchObject({ detail: "The cursor is not known." });
});
