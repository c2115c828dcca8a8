/** Run the application, and stop it without dropping a request. */

import { type EventEmitter, once } from "node:events";
import { setTimeout } from "node:timers/promises";

import type { FastifyInstance } from "fastify";

import type { Readiness } from "./health.js";
import type { Settings } from "./settings.js";

type Limits = Pick<Settings, "bindAddress" | "port" | "drainSeconds" | "shutdownTimeoutSeconds">;

/** Serve until told to stop, then drain, and let requests in flight finish. */
export async function serve(
  app: FastifyInstance,
  readiness: Readiness,
  { bindAddress, port, drainSeconds, shutdownTimeoutSeconds }: Limits,
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
  app.addHook("onSend", (_request, reply, _payload, done) => {
    // Asks clients to open their next connection elsewhere.
    if (readiness.stopping) reply.header("Connection", "close");
    done();
  });

  await app.listen({ host: bindAddress, port });
  await told;
  app.log.info({ drain_seconds: drainSeconds }, "stopping");
  await pause(drainSeconds);
  const closed = app.close();
  await Promise.race([closed, pause(shutdownTimeoutSeconds)]);
  app.server.closeAllConnections();
  await Promise.race([closed, impatient]);
  // Ends the pause that may still go on.
  impatience.abort();
}
