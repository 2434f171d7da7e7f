/**
 * Spans of what the user does, and of the requests that it causes.
 *
 * The identifiers are drawn here and at once, so a request never waits for the OpenTelemetry chunk; finished spans are
 * handed to it when it has come (`trace-export.ts`). No zone.js: it loses native async functions. The span is handed
 * on as a value instead.
 */
export type AttributeValue = string | number | boolean;

/** A span that is over, as the exporter gets it. Times are milliseconds since the epoch. */
export interface FinishedSpan {
  readonly name: string;
  readonly kind: "internal" | "client";
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly startTime: number;
  readonly endTime: number;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly failed: boolean;
}

export type SpanSink = (span: FinishedSpan) => void;

/** Spans that wait for the exporter; more are dropped, so that a page whose chunk never came does not grow. */
const WAITING_MAX = 256;
/** After its last request a page's span stays open this long for the next one, in milliseconds. */
const QUIET_MS = 400;

let waiting: FinishedSpan[] = [];
let sink: SpanSink | null = null;
let sessionId: string | null = null;
let ambient: ActionSpan | null = null;

/** Names the session in the spans that follow. The session ID is a name, not a secret. */
export function traceSession(id: string | null): void {
  sessionId = id;
}

/** Sends finished spans to `next`, those that waited first. */
export function sendSpansTo(next: SpanSink | null): void {
  sink = next;
  if (next === null) return;
  const waited = waiting;
  waiting = [];
  for (const span of waited) next(span);
}

function hex(bytes: number): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function now(): number {
  return performance.timeOrigin + performance.now();
}

interface SpanStart {
  readonly kind?: FinishedSpan["kind"];
  readonly parent?: ActionSpan;
  readonly startTime?: number;
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
}

/** A span in progress: of a user action, of a page's load, or of one request under either. */
export class ActionSpan {
  readonly traceId: string;
  readonly spanId = hex(8);
  private readonly startTime: number;
  private readonly attributes: Record<string, AttributeValue>;
  private ended = false;
  /** Requests under this span that are still open, and when the last one ended. */
  private open = 0;
  private lastChildEnd: number | null = null;
  private onQuiet: (() => void) | null = null;
  /**
   * A view's requests, until it ends. Those at a page's load leave before the page has read which session they belong
   * to; it is the same for all of them.
   */
  private readonly held: FinishedSpan[] = [];

  constructor(
    readonly name: string,
    private readonly start: SpanStart = {},
  ) {
    this.traceId = start.parent?.traceId ?? hex(16);
    this.startTime = start.startTime ?? now();
    this.attributes = { ...start.attributes };
    this.nameSession();
  }

  /** The W3C trace context header; always sampled, the services decide what they keep. */
  get traceparent(): string {
    return `00-${this.traceId}-${this.spanId}-01`;
  }

  /** A request that this span caused. */
  request(name: string, attributes: Readonly<Record<string, AttributeValue>>): ActionSpan {
    this.open += 1;
    return new ActionSpan(name, { kind: "client", parent: this, attributes });
  }

  set(name: string, value: AttributeValue): void {
    this.attributes[name] = value;
  }

  /** Ends the span, once; later calls change nothing. */
  end(result: { readonly failed?: boolean; readonly at?: number } = {}): void {
    if (this.ended) return;
    this.ended = true;
    this.nameSession();
    const endTime = result.at ?? now();
    for (const held of this.held) record({ ...held, attributes: { ...this.sessionAttribute(), ...held.attributes } });
    const finished: FinishedSpan = {
      name: this.name,
      kind: this.start.kind ?? "internal",
      traceId: this.traceId,
      spanId: this.spanId,
      parentSpanId: this.start.parent?.spanId ?? null,
      startTime: this.startTime,
      endTime,
      attributes: this.attributes,
      failed: result.failed ?? false,
    };
    if (this.start.parent === undefined) record(finished);
    else this.start.parent.childEnded(finished);
  }

  /** Ends by itself, at the end of its last request, once no request of it has been open for a moment. */
  endWhenQuiet(closed: () => void): void {
    const settle = (): void => {
      setTimeout(() => {
        if (this.open > 0 || this.ended) return;
        this.end({ at: this.lastChildEnd ?? now() });
        closed();
      }, QUIET_MS);
    };
    this.onQuiet = settle;
    settle();
  }

  private childEnded(child: FinishedSpan): void {
    this.open -= 1;
    this.lastChildEnd = child.endTime;
    if (this.onQuiet === null || this.ended) {
      record(child);
      return;
    }
    this.held.push(child);
    if (this.open === 0) this.onQuiet();
  }

  private sessionAttribute(): Record<string, AttributeValue> {
    const id = this.attributes["session.id"];
    return id === undefined ? {} : { "session.id": id };
  }

  // The session may become known while the span runs: at sign-in, for one.
  private nameSession(): void {
    if (sessionId !== null) this.attributes["session.id"] ??= sessionId;
  }
}

function record(span: FinishedSpan): void {
  if (sink !== null) sink(span);
  else if (waiting.length < WAITING_MAX) waiting.push(span);
}

/** Starts the span of one user action. Whoever starts it ends it. */
export function startAction(name: string): ActionSpan {
  return new ActionSpan(name);
}

/** The span of the page's load, or of what it shows after that: for requests that a view makes to show itself. */
export function viewSpan(): ActionSpan {
  ambient ??= openView("view", now());
  return ambient;
}

function openView(name: string, startTime: number): ActionSpan {
  const span = new ActionSpan(name, { startTime, attributes: { "url.path": location.pathname } });
  span.endWhenQuiet(() => {
    if (ambient === span) ambient = null;
  });
  return span;
}

/**
 * Starts telemetry for this page: the span of its load, and the exporter as soon as the page has settled.
 *
 * Whatever fails here, the page does not notice: spans are dropped.
 */
export function startTracing(load: () => Promise<{ startExport: () => SpanSink }> = () => import("./trace-export")): void {
  ambient = openView("page load", performance.timeOrigin);
  // Whoever leaves may not come back. This listener is older than the exporter's, so its batch has the span.
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "hidden") return;
    ambient?.end();
    ambient = null;
  });
  const begin = (): void => {
    load()
      .then(({ startExport }) => sendSpansTo(startExport()))
      .catch(() => sendSpansTo(() => undefined));
  };
  if (document.readyState === "complete") setTimeout(begin);
  else window.addEventListener("load", () => setTimeout(begin), { once: true });
}
