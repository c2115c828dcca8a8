/** Run the application, and stop it without dropping a request. */

import { type EventEmitter, once } from "node:events";
import { setTimeout } from "node:timers/promises";

import type { FastifyInstance } from "fastify";

import type { Readiness } from "./health.js";
import type { Settings } from "./settings.js";

type Limits = Pick<Settings, "bindAddress" | "port" | "shutdownTimeoutSeconds">;

/** Serve until told to stop, then let requests in flight finish. */
export async function serve(
  app: FastifyInstance,
  readiness: Readiness,
  { bindAddress, port, shutdownTimeoutSeconds }: Limits,
  signals: Pick<EventEmitter, "on"> = process,
): Promise<void> {
  const impatience = new AbortController();
  const { signal } = impatience;
  const impatient = once(signal, "abort");
  const pause = (seconds: number) =>
    setTimeout(seconds * 1000, undefined, { signal }).catch(() => undefined);
  const told = new Promise<void>((resolve) => {
    const stop = () => {
      // Told a second time, do not wait any longer.
      if (readiness.stopping) impatience.abort();
      readiness.stopping = true;
      resolve();
    };
    signals.on("SIGTERM", stop).on("SIGINT", stop);
  });

  await app.listen({ host: bindAddress, port });
  await told;
  app.log.info("stopping");
  const closed = app.close();
  await Promise.race([closed, pause(shutdownTimeoutSeconds)]);
  app.server.closeAllConnections();
  await Promise.race([closed, impatient]);
  // Ends the pause that may still go on.
  impatience.abort();
}
