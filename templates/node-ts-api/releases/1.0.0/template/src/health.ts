/** Liveness and readiness, for whoever runs the service. */

import type { FastifyInstance } from "fastify";

import { sendProblem } from "./problems.js";

export type Check = () => Promise<boolean>;

/** Whether the service should be sent requests: it is not stopping and every check passes. */
export class Readiness {
  readonly checks = new Map<string, Check>();
  stopping = false;

  /** Return what stands in the way; nothing if the service is ready. */
  async obstacles(): Promise<string[]> {
    if (this.stopping) {
      return ["stopping"];
    }
    const found: string[] = [];
    for (const [name, check] of this.checks) {
      if (!(await check())) {
        found.push(name);
      }
    }
    return found;
  }
}

/** Serve both; they are no part of the API which clients see. */
export function installHealth(app: FastifyInstance, readiness: Readiness): void {
  const schema = { hide: true };

  // Looks at nothing else: a failing dependency must not restart every replica.
  app.get("/healthz", { schema }, () => ({ status: "ok" }));

  app.get("/readyz", { schema }, async (_request, reply) => {
    const obstacles = await readiness.obstacles();
    return obstacles.length > 0
      ? sendProblem(reply, 503, `Not ready: ${obstacles.join(", ")}.`)
      : { status: "ready" };
  });
}
