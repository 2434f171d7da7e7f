import createClient, { type Middleware } from "openapi-fetch";
import type { paths as OrdersPaths } from "@/types/orders";
import type { paths as UsersPaths } from "@/types/users";
import { userIsActive } from "./activity";
import { csrfToken, keepCsrfToken } from "./csrf";
import { ApiProblem, noAnswer, problemOf, unexpected } from "./problem";
import { type ActionSpan, viewSpan } from "./tracing";

/** A contract's operations without the CSRF header: the client adds it to each unsafe request by itself. */
type WithoutCsrf<Paths> = {
  [Path in keyof Paths]: {
    [Method in keyof Paths[Path]]: Paths[Path][Method] extends { parameters: { header: infer Header } }
      ? Omit<Paths[Path][Method], "parameters"> & {
          parameters: Omit<Paths[Path][Method]["parameters"], "header"> & RemainingHeader<Omit<Header, "X-CSRF-Token">>;
        }
      : Paths[Path][Method];
  };
};
type RemainingHeader<Header> = keyof Header extends never ? { header?: never } : { header: Header };

export const users = createClient<WithoutCsrf<UsersPaths>>({ baseUrl: location.origin });
export const orders = createClient<WithoutCsrf<OrdersPaths>>({ baseUrl: location.origin });

export interface RequestOptions {
  /** The user action that caused the request; without one it belongs to the view, or to nobody. */
  readonly span?: ActionSpan | undefined;
  /** Whether the request must not count as use of the session. By default: no action and nothing done just now. */
  readonly passive?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Whoever asks deals with what it means for the session itself: nobody else is told. */
  readonly quiet?: boolean | undefined;
}

/** What `request` hands to a call of a client: `users.GET(path, { ...init, params })`. */
export type CallInit = Readonly<{
  fetch: (request: Request) => Promise<Response>;
  middleware: Middleware[];
  signal: AbortSignal | null;
}>;

interface Answer<Data> {
  readonly data?: Data;
  readonly error?: unknown;
  readonly response: Response;
}

type TroubleListener = (problem: ApiProblem) => void;
const listeners = new Set<TroubleListener>();
const writeListeners = new Set<() => void>();

/** Hears of each 401, each 5xx that says "later" and each request without an answer: the session may have changed. */
export function onSessionTrouble(listener: TroubleListener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Hears of each unsafe request that was carried out: the first one may have created a session (no GET ever does). */
export function onWrite(listener: () => void): () => void {
  writeListeners.add(listener);
  return () => writeListeners.delete(listener);
}

/**
 * Makes one request and gives its data, or throws an ApiProblem; an aborted request throws the browser's AbortError.
 *
 * An unsafe request carries the CSRF token. When it is refused with 403, the token is fetched again and the request
 * repeated once: nothing had been done.
 */
export async function request<Data>(
  call: (init: CallInit) => Promise<Answer<Data>>,
  options: RequestOptions = {},
): Promise<Data> {
  return (await requestWithResponse(call, options)).data;
}

/** As `request`, with the response beside the data, for who needs a header. */
export async function requestWithResponse<Data>(
  call: (init: CallInit) => Promise<Answer<Data>>,
  options: RequestOptions = {},
): Promise<{ data: Data; response: Response }> {
  let template = "";
  const keepTemplate: Middleware = {
    onRequest: ({ schemaPath }) => {
      template = schemaPath;
    },
  };
  const send = sender(options, () => template);
  let answer: Answer<Data>;
  try {
    answer = await call({ fetch: send, middleware: [keepTemplate], signal: options.signal ?? null });
  } catch (error) {
    if (options.signal?.aborted === true) throw error;
    const problem = error instanceof ApiProblem ? error : unexpected(error);
    announce(problem, options);
    throw problem;
  }
  if (answer.response.ok) return { data: answer.data as Data, response: answer.response };
  const problem = problemOf(answer.response, answer.error);
  announce(problem, options);
  throw problem;
}

function announce(problem: ApiProblem, { quiet = false }: RequestOptions): void {
  if (quiet) return;
  if (problem.status !== 401 && !problem.unavailable && !problem.offline) return;
  for (const listener of listeners) listener(problem);
}

function isSafe(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

function sender(options: RequestOptions, template: () => string): CallInit["fetch"] {
  return async (request) => {
    const safe = isSafe(request.method);
    const passive = options.passive ?? (safe && options.span === undefined && !userIsActive());
    const span = options.span ?? (passive ? undefined : viewSpan());
    if (passive) request.headers.set("X-Session-Passive", "1");
    if (safe) return await traced(request, span, template(), 0);

    const fetchToken = (): Promise<string> => fetchCsrfToken(span);
    const again = request.clone();
    request.headers.set("X-CSRF-Token", await csrfToken(fetchToken));
    const response = await traced(request, span, template(), 0);
    if (response.status !== 403) return written(response, options);

    // The session changed under the token, in another tab for one. Nothing was done, so once more is safe.
    keepCsrfToken(null);
    again.headers.set("X-CSRF-Token", await csrfToken(fetchToken));
    return written(await traced(again, span, template(), 1), options);
  };
}

function written(response: Response, { quiet = false }: RequestOptions): Response {
  if (response.ok && !quiet) for (const listener of writeListeners) listener();
  return response;
}

async function fetchCsrfToken(span: ActionSpan | undefined): Promise<string> {
  const answer = await request(
    (init) => users.GET("/api/users/csrf", init),
    span === undefined ? { passive: true } : { span },
  );
  return answer.csrf_token;
}

/** One HTTP exchange, as a CLIENT span in OpenTelemetry's HTTP conventions when somebody asked for it. */
async function traced(request: Request, cause: ActionSpan | undefined, template: string, resend: number): Promise<Response> {
  const url = new URL(request.url);
  const span = cause?.request(`${request.method} ${template}`.trim(), {
    "http.request.method": request.method,
    "url.full": request.url,
    "url.template": template,
    "server.address": url.hostname,
    "server.port": Number(url.port || (url.protocol === "https:" ? 443 : 80)),
    ...(resend > 0 ? { "http.request.resend_count": resend } : {}),
  });
  if (span !== undefined) request.headers.set("traceparent", span.traceparent);
  try {
    const response = await fetch(request);
    span?.set("http.response.status_code", response.status);
    if (response.status >= 400) span?.set("error.type", String(response.status));
    span?.end({ failed: response.status >= 400 });
    return response;
  } catch (error) {
    span?.set("error.type", error instanceof Error ? error.name : "Error");
    span?.end({ failed: true });
    if (request.signal.aborted) throw error;
    throw noAnswer(error);
  }
}
