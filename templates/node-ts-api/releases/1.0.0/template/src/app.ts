/** Wire the application together. */

import { trace, type TracerProvider } from "@opentelemetry/api";
import { fastify, type FastifyBaseLogger, type FastifyInstance, LogController } from "fastify";

import { installHealth, Readiness } from "./health.js";
import { InMemoryItems, installItems, type ItemStore } from "./items.js";
import { installOpenapi } from "./openapi.js";
import { answerError, installProblems } from "./problems.js";
import { createLogger, installTelemetry, observe, requestId } from "./telemetry.js";

export interface Collaborators {
  readonly logger: FastifyBaseLogger;
  readonly readiness: Readiness;
  readonly store: ItemStore;
  readonly tracerProvider: TracerProvider;
}

/** Return the application; tests pass their own collaborators. */
export async function createApp({
  logger = createLogger("ERROR"),
  readiness = new Readiness(),
  store = new InMemoryItems(),
  tracerProvider = trace.getTracerProvider(),
}: Partial<Collaborators> = {}): Promise<FastifyInstance> {
  readiness.checks.set("items", () => store.ping());
  const app: FastifyInstance = fastify({
    loggerInstance: logger,
    logController: new LogController({
      disableRequestLogging: true,
      requestIdLogLabel: "request_id",
    }),
    genReqId: requestId,
    // A client may not take forever to send its request; Node.js goes by the longer of the two.
    requestTimeout: 30_000,
    http: { headersTimeout: 30_000 },
    // A client is told of a field that is not known, not silently deprived of it.
    ajv: { customOptions: { removeAdditional: false } },
    // A path that cannot be read is refused before any hook is called.
    frameworkErrors: (error, request, reply) => {
      observe(request, reply, tracerProvider);
      answerError(error, request, reply);
    },
    // What arrives while the last requests are answered is answered, too.
    return503OnClosing: false,
  });
  await installOpenapi(app);
  installTelemetry(app, tracerProvider);
  installProblems(app);
  installHealth(app, readiness);
  installItems(app, store);
  return app;
}
