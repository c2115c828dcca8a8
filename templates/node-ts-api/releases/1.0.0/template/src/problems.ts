/** Errors as problem details (RFC 9457). */

import { STATUS_CODES } from "node:http";

import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import Type, { type Static } from "typebox";

const MEDIA_TYPE = "application/problem+json";
// Where OpenAPI says that a parameter is, for what Fastify calls it.
const PLACES: Readonly<Record<string, string>> = { params: "path", querystring: "query" };

const InvalidField = Type.Object(
  {
    pointer: Type.String({
      description: "Where it is, as a JSON pointer.",
      examples: ["/body/name"],
    }),
    detail: Type.String(),
  },
  { $id: "InvalidField", description: "One field which was refused, and why." },
);

const Problem = Type.Object(
  {
    type: Type.String({ default: "about:blank" }),
    title: Type.String({ examples: ["Not Found"] }),
    status: Type.Integer({ examples: [404] }),
    detail: Type.Optional(Type.String()),
    errors: Type.Optional(Type.Array(Type.Unsafe<InvalidField>(Type.Ref("InvalidField")))),
  },
  { $id: "Problem", description: "Problem details as of RFC 9457." },
);

export type InvalidField = Static<typeof InvalidField>;
export type Problem = Static<typeof Problem>;

/** A refusal: throw it, and the client gets the problem. */
export class Refusal extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, detail: string) {
    super(detail);
    this.statusCode = statusCode;
  }
}

/** Return what a route declares to say that it may answer with these statuses. */
export function responses(...statuses: number[]) {
  const content = { [MEDIA_TYPE]: { schema: Type.Ref("Problem") } };
  return Object.fromEntries(
    statuses.map((status) => [status, { description: STATUS_CODES[status], content }]),
  );
}

/** Answer with a problem. */
export function sendProblem(
  reply: FastifyReply,
  status: number,
  detail?: string,
  errors?: InvalidField[],
): FastifyReply {
  const problem: Problem = {
    type: "about:blank",
    title: STATUS_CODES[status] ?? "Error",
    status,
    ...(detail !== undefined && { detail }),
    ...(errors !== undefined && { errors }),
  };
  // With a serializer of its own: Fastify would add a charset, which JSON does not have.
  return reply
    .code(status)
    .type(MEDIA_TYPE)
    .serializer((payload) => JSON.stringify(payload))
    .send(problem);
}

/** Answer what was thrown; nobody outside learns what a bug is about. */
export function answerError(
  error: FastifyError,
  _request: FastifyRequest,
  reply: FastifyReply,
): void {
  const status = error.statusCode ?? 500;
  if (error.validation) {
    void sendProblem(reply, 422, "The request is not valid.", invalidFields(error));
  } else if (status < 500) {
    void sendProblem(reply, status, error.message);
  } else {
    void sendProblem(reply, 500);
  }
}

/** Answer errors and unknown paths with problems. */
export function installProblems(app: FastifyInstance): void {
  app.addSchema(InvalidField);
  app.addSchema(Problem);
  app.setErrorHandler(answerError);
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, 404));
}

function invalidFields(error: FastifyError): InvalidField[] {
  const { validation = [], validationContext = "body" } = error;
  return validation.map(({ instancePath, params, message }) => {
    // Of a field that is missing or not known, the path names the object it is (not) in.
    const field = params["missingProperty"] ?? params["additionalProperty"];
    const name = typeof field === "string" ? `/${escaped(field)}` : "";
    return {
      pointer: `/${PLACES[validationContext] ?? validationContext}${instancePath}${name}`,
      detail: message ?? "is not valid",
    };
  });
}

function escaped(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}
