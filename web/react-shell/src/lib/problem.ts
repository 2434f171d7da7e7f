import type { components } from "@/types/users";

export type EndReason = components["schemas"]["EndReason"];

export interface ProblemInit {
  readonly status: number;
  readonly title: string;
  readonly type?: string | undefined;
  readonly detail?: string | undefined;
  readonly errors?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly endReason?: EndReason | undefined;
  readonly retryAfter?: number | undefined;
  readonly cause?: unknown;
}

/**
 * What went wrong with a request, as RFC 9457 problem details say it.
 *
 * `status` is the HTTP status, or 0 when no answer came (offline, or the edge is away). `errors` holds faults by
 * field name. `endReason` says why the session that the request named has ended. `retryAfter` is in seconds.
 */
export class ApiProblem extends Error {
  override readonly name = "ApiProblem";
  readonly status: number;
  readonly type: string;
  readonly title: string;
  readonly detail: string | undefined;
  readonly errors: Readonly<Record<string, readonly string[]>>;
  readonly endReason: EndReason | undefined;
  readonly retryAfter: number | undefined;

  constructor(init: ProblemInit) {
    super(init.detail ?? init.title, { cause: init.cause });
    this.status = init.status;
    this.type = init.type ?? "about:blank";
    this.title = init.title;
    this.detail = init.detail;
    this.errors = init.errors ?? {};
    this.endReason = init.endReason;
    this.retryAfter = init.retryAfter;
  }

  /** No answer came at all. */
  get offline(): boolean {
    return this.status === 0;
  }

  /** The service says that it cannot answer now; the same request may be tried again. */
  get unavailable(): boolean {
    return this.status === 502 || this.status === 503 || this.status === 504;
  }

  /** The first fault of a field, as the service wrote it. */
  fault(field: string): string | undefined {
    return this.errors[field]?.[0];
  }
}

/** The problem when a request got no answer. */
export function noAnswer(cause: unknown): ApiProblem {
  return new ApiProblem({
    status: 0,
    title: "No connection",
    detail: "Almanac did not answer. Check your connection, then try again.",
    cause,
  });
}

/** The problem when this page itself failed: a bug, or an answer that cannot be read. */
export function unexpected(cause: unknown): ApiProblem {
  return new ApiProblem({
    status: 500,
    title: "Something went wrong on this page",
    detail: "Load the page again. If it happens again, it is our fault and not yours.",
    cause,
  });
}

/** The problem that an answer describes; a body that is no problem document still gives one with its status. */
export function problemOf(response: Response, body: unknown): ApiProblem {
  const document = isObject(body) ? body : {};
  return new ApiProblem({
    status: response.status,
    type: text(document.type),
    title: text(document.title) ?? fallbackTitle(response.status),
    detail: text(document.detail),
    errors: faultsOf(document.errors),
    endReason: text(document.end_reason) as EndReason | undefined,
    retryAfter: retryAfterOf(response.headers),
  });
}

/** Seconds of a `Retry-After` header, which may also be a date (RFC 9110, 10.2.3). */
export function retryAfterOf(headers: Headers, now: number = Date.now()): number | undefined {
  const value = headers.get("Retry-After")?.trim();
  if (value === undefined || value === "") return undefined;
  if (/^\d+$/.test(value)) return Number(value);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - now) / 1000));
}

function fallbackTitle(status: number): string {
  if (status === 413) return "That is too large to send";
  return status >= 500 ? "Almanac cannot answer right now" : "Almanac refused the request";
}

function faultsOf(errors: unknown): Record<string, readonly string[]> {
  if (!isObject(errors)) return {};
  return Object.fromEntries(
    Object.entries(errors).map(([field, faults]) => [field, Array.isArray(faults) ? faults.map(String) : [String(faults)]]),
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
