/** Start the service: `node dist/src/main.js`. */

import { createApp } from "./app.js";
import { Readiness } from "./health.js";
import { serve } from "./server.js";
import { readSettings } from "./settings.js";
import { createLogger, startTracing } from "./telemetry.js";

/** Wire the service and serve until told to stop. */
async function main(): Promise<void> {
  const settings = readSettings(process.env);
  const logger = createLogger(settings.logLevel);
  const tracerProvider = startTracing(settings, logger);
  const readiness = new Readiness();
  const app = await createApp({ logger, readiness, tracerProvider });
  // Sends what is still buffered, after the last request.
  app.addHook("onClose", () =>
    tracerProvider.shutdown().catch((error: unknown) => {
      logger.warn(error, "traces are lost");
    }),
  );
  await serve(app, readiness, settings);
  logger.info("stopped");
}

/** Say why, in a line of the log like any other, and end. */
function fail(event: string, error: unknown): never {
  createLogger("ERROR").error(error, event);
  process.exit(1);
}

// A bug outside of any request, promises included: nobody knows in what state it left the service.
process.on("uncaughtException", (error) => fail("crashed", error));

try {
  await main();
  // What a forgotten timer or connection would keep alive ends here, too.
  process.exit();
} catch (error) {
  fail("cannot run", error);
}
