/**
 * The items resource: a slice from the route down to the store.
 *
 * Rename it to what your service keeps; the store is the seam for a database.
 */

import { randomUUID } from "node:crypto";

import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyInstance } from "fastify";
import Type, { type Static } from "typebox";

import { Refusal, responses } from "./problem-details.js";

const DEFAULT_QUANTITY = 1;
const DEFAULT_PAGE = 20;

const Uuid = Type.String({ format: "uuid" });

const NewItem = Type.Object(
  {
    name: Type.String({
      description: "Not blank; spaces around it are dropped.",
      maxLength: 200,
      pattern: "\\S",
      examples: ["Blue kettle"],
    }),
    quantity: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1_000_000, default: DEFAULT_QUANTITY }),
    ),
  },
  {
    $id: "NewItem",
    description: "What a client sends to create an item.",
    additionalProperties: false,
  },
);

const Item = Type.Object(
  {
    id: Uuid,
    name: Type.String(),
    quantity: Type.Integer(),
    created_at: Type.String({ format: "date-time" }),
  },
  { $id: "Item", description: "An item as it is kept." },
);

const ItemPage = Type.Object(
  {
    items: Type.Array(Type.Unsafe<Item>(Type.Ref("Item"))),
    next_cursor: Type.Union([Uuid, Type.Null()]),
  },
  {
    $id: "ItemPage",
    description: "Some items, oldest first, and the cursor of the next page if there is one.",
  },
);

const PageQuery = Type.Object({
  limit: Type.Optional(
    Type.Integer({
      description: "Size of a page.",
      minimum: 1,
      maximum: 100,
      default: DEFAULT_PAGE,
    }),
  ),
  cursor: Type.Optional(Type.String({ description: "`next_cursor` of a page.", format: "uuid" })),
});

const ItemPath = Type.Object({ item_id: Uuid });

export type Item = Static<typeof Item>;
export type NewItem = Pick<Item, "name" | "quantity">;
type ItemPage = Static<typeof ItemPage>;

/** The cursor was not given out by this store. */
export class UnknownCursor extends Error {}

/** What the routes need of a store. */
export interface ItemStore {
  /** Tell whether the store can be used; readiness asks. */
  ping(): Promise<boolean>;

  /** Keep a new item. */
  add(item: NewItem): Promise<Item>;

  /** Return one item if it is there. */
  get(id: string): Promise<Item | undefined>;

  /** Return up to `limit` items, oldest first, which follow the item `after`. */
  page(after: string | undefined, limit: number): Promise<Item[]>;
}

/** Keeps items in this process: lost at a restart, not shared between replicas. */
export class InMemoryItems implements ItemStore {
  readonly #items: Item[] = [];
  readonly #positions = new Map<string, number>();

  ping(): Promise<boolean> {
    return Promise.resolve(true);
  }

  add({ name, quantity }: NewItem): Promise<Item> {
    const item = { id: randomUUID(), name, quantity, created_at: new Date().toISOString() };
    this.#positions.set(item.id, this.#items.length);
    this.#items.push(item);
    return Promise.resolve(item);
  }

  get(id: string): Promise<Item | undefined> {
    const position = this.#positions.get(id);
    return Promise.resolve(position === undefined ? undefined : this.#items[position]);
  }

  page(after: string | undefined, limit: number): Promise<Item[]> {
    const position = after === undefined ? -1 : this.#positions.get(after);
    if (position === undefined) {
      return Promise.reject(new UnknownCursor(after));
    }
    return Promise.resolve(this.#items.slice(position + 1, position + 1 + limit));
  }
}

/** Serve the resource from a store. */
export function installItems(app: FastifyInstance, store: ItemStore): void {
  for (const schema of [NewItem, Item, ItemPage]) {
    app.addSchema(schema);
  }
  const routes = app.withTypeProvider<TypeBoxTypeProvider>();

  routes.get(
    "/v1/items",
    {
      schema: {
        operationId: "listItems",
        summary: "List Items",
        description: "List items, oldest first, page by page.",
        tags: ["items"],
        querystring: PageQuery,
        response: { 200: answers("Successful Response", "ItemPage"), ...responses(400, 422) },
      },
    },
    async (request): Promise<ItemPage> => {
      const { cursor, limit = DEFAULT_PAGE } = request.query;
      const found = await pageOrRefusal(store, cursor, limit + 1);
      // One more than asked for tells whether there is a next page.
      const items = found.slice(0, limit);
      return { items, next_cursor: found.length > limit ? (items.at(-1)?.id ?? null) : null };
    },
  );

  routes.post(
    "/v1/items",
    {
      schema: {
        operationId: "createItem",
        summary: "Create Item",
        description: "Create an item.",
        tags: ["items"],
        body: Type.Unsafe<Static<typeof NewItem>>(Type.Ref("NewItem")),
        response: {
          201: { ...answers("Successful Response", "Item"), headers: LOCATION },
          ...responses(400, 422),
        },
      },
    },
    async (request, reply): Promise<Item> => {
      const { name, quantity = DEFAULT_QUANTITY } = request.body;
      const item = await store.add({ name: name.trim(), quantity });
      reply.code(201).header("Location", `/v1/items/${item.id}`);
      return item;
    },
  );

  routes.get(
    "/v1/items/:item_id",
    {
      schema: {
        operationId: "getItem",
        summary: "Get Item",
        description: "Return one item.",
        tags: ["items"],
        params: ItemPath,
        response: { 200: answers("Successful Response", "Item"), ...responses(404, 422) },
      },
    },
    async (request): Promise<Item> => {
      const item = await store.get(request.params.item_id);
      if (item === undefined) {
        throw new Refusal(404, "There is no such item.");
      }
      return item;
    },
  );
}

const LOCATION = { Location: { type: "string", description: "Where it is." } };

function answers(description: string, schema: string) {
  return { description, content: { "application/json": { schema: Type.Ref(schema) } } };
}

async function pageOrRefusal(store: ItemStore, after: string | undefined, limit: number) {
  try {
    return await store.page(after, limit);
  } catch (error) {
    if (error instanceof UnknownCursor) {
      throw new Refusal(400, "The cursor is not known.");
    }
    throw error;
  }
}
