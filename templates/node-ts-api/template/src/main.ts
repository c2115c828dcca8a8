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

try {
  await main();
  // What a forgotten timer or connection would keep alive ends here, too.
  process.exit();
} catch (error) {
  createLogger("ERROR").error(error, "cannot run");
  process.exit(1);
}
