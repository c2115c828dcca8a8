/**
 * Logs, traces and metrics.
 *
 * Use `request.log` (or the logger of `createApp`) for logs, `trace.getTracer(…)` of
 * `@opentelemetry/api` for spans, and `prom-client` for metrics of your own: whatever it
 * counts, `/metrics` shows.
 */

import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";

import {
  type Context,
  context,
  diag,
  DiagLogLevel,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
  type TracerProvider,
} from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from "@opentelemetry/resources";
import { BatchSpanProcessor, TracerProvider as SdkTracerProvider } from "@opentelemetry/sdk-trace";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type DestinationStream, type Logger, pino } from "pino";
import { collectDefaultMetrics, Gauge, Histogram, register } from "prom-client";

import type { LogLevel, Settings } from "./settings.js";

declare module "fastify" {
  interface FastifyRequest {
    /** The trace that the request belongs to; null where nothing is traced. */
    traceContext: Context | null;
  }
}

collectDefaultMetrics();

// Names, labels and buckets are OpenTelemetry's for HTTP servers.
const duration = new Histogram({
  name: "http_server_request_duration_seconds",
  help: "How long requests took.",
  labelNames: ["http_request_method", "http_response_status_code", "http_route"],
  buckets: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
});
const active = new Gauge({
  name: "http_server_active_requests",
  help: "Requests being answered now.",
});

// Probes and scrapes say nothing about clients; they would drown what does.
const UNOBSERVED = new Set(["/healthz", "/readyz", "/metrics"]);
// Labels are a closed set: a client must not be able to make new time series.
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const PINO_LEVELS = { DEBUG: "debug", INFO: "info", WARNING: "warn", ERROR: "error" } as const;

/** Return a logger which writes one JSON object a line, to stdout unless told otherwise. */
export function createLogger(
  level: LogLevel,
  // Not later: the last lines would be lost, or change places, when the process ends.
  destination: DestinationStream = pino.destination({ sync: true }),
): Logger {
  return pino(
    {
      level: PINO_LEVELS[level],
      base: null,
      messageKey: "event",
      errorKey: "exception",
      timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label === "warn" ? "warning" : label }) },
      mixin: traceIds,
    },
    destination,
  );
}

/** Return the id of a request: the caller's if it is sound, else a new one. */
export function requestId(request: IncomingMessage): string {
  const given = request.headers["x-request-id"];
  return typeof given === "string" && /^[A-Za-z0-9._-]{1,128}$/.test(given)
    ? given
    : randomUUID().replaceAll("-", "");
}

/** Trace every request; export only where a collector is named. */
export function startTracing(settings: Settings, logger: Logger): SdkTracerProvider {
  // Else nobody would learn that a collector cannot be reached.
  const warn = (message: string) => {
    logger.warn(message);
  };
  const diagnostics = { error: warn, warn, info: warn, debug: warn, verbose: warn };
  diag.setLogger(diagnostics, DiagLogLevel.WARN);
  const resource = defaultResource()
    .merge(detectResources({ detectors: [envDetector] }))
    .merge(resourceFromAttributes({ "service.name": settings.otelServiceName }));
  const spanProcessors = settings.otelExporterOtlpEndpoint
    ? [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })]
    : [];
  const provider = new SdkTracerProvider({ resource, spanProcessors });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  return provider;
}

/** Observe every request, and serve `/metrics`. */
export function installTelemetry(app: FastifyInstance, provider: TracerProvider): void {
  app.decorateRequest("traceContext", null);
  app.addHook("onRequest", (request, reply, done) => {
    observe(request, reply, provider);
    done();
  });
  const enter = (request: FastifyRequest, _reply: FastifyReply, done: () => void) => {
    context.with(request.traceContext ?? ROOT_CONTEXT, done);
  };
  app.addHook("onRequest", enter);
  // Reading a body goes on in the context of the socket.
  app.addHook("preValidation", enter);
  app.addHook("onError", (request, _reply, error, done) => {
    if ((error.statusCode ?? 500) >= 500) {
      request.log.error(error, "request failed");
      trace.getActiveSpan()?.recordException(error);
    }
    done();
  });

  app.get("/metrics", { schema: { hide: true } }, async (_request, reply) =>
    reply.type(register.contentType).send(await register.metrics()),
  );
}

/** Tell the client the id of its request, and trace, count and log it. */
export function observe(
  request: FastifyRequest,
  reply: FastifyReply,
  provider: TracerProvider,
): void {
  reply.header("X-Request-ID", request.id);
  if (!UNOBSERVED.has(request.routeOptions.url ?? "")) {
    const parent = propagation.extract(ROOT_CONTEXT, request.headers);
    const span = startSpan(provider.getTracer("http-server"), request, parent);
    request.traceContext = trace.setSpan(parent, span);
    watch(request, reply, span);
  }
}

/** Open the span of a request; what its end brings is set by `watch`. */
function startSpan(tracer: Tracer, request: FastifyRequest, parent: Context): Span {
  const route = routeOf(request);
  const attributes = {
    "http.request.method": request.method,
    ...(route !== undefined && { "http.route": route }),
    "url.path": request.url.split("?", 1)[0] ?? "",
    "url.scheme": request.protocol,
  };
  const name = route === undefined ? request.method : `${request.method} ${route}`;
  return tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, parent);
}

/** Count and log a request and end its span, once it is over. */
function watch(request: FastifyRequest, reply: FastifyReply, span: Span): void {
  const started = performance.now();
  active.inc();
  // Not `onResponse`: that is not called for a client that went away.
  reply.raw.once("close", () => {
    active.dec();
    const status = reply.raw.headersSent ? reply.statusCode : 499;
    record(request, status, (performance.now() - started) / 1000);
    span.setAttribute("http.response.status_code", status);
    if (status >= 500) {
      span.setStatus({ code: SpanStatusCode.ERROR });
    }
    span.end();
  });
}

function record(request: FastifyRequest, status: number, seconds: number): void {
  const method = METHODS.has(request.method) ? request.method : "_OTHER";
  const route = routeOf(request) ?? "unmatched";
  duration.labels(method, String(status), route).observe(seconds);
  context.with(request.traceContext ?? ROOT_CONTEXT, () => {
    const duration_ms = Math.round(seconds * 10_000) / 10;
    request.log.info({ method, route, status, duration_ms }, "request");
  });
}

/** The template, never the path: each id would be a time series of its own. */
function routeOf(request: FastifyRequest): string | undefined {
  // As OpenAPI and the other services write it.
  return request.routeOptions.url?.replaceAll(/:(\w+)/g, "{$1}");
}

function traceIds(): Record<string, string> {
  const span = trace.getActiveSpan()?.spanContext();
  return span ? { trace_id: span.traceId, span_id: span.spanId } : {};
}
