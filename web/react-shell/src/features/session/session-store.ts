import type { RequestOptions } from "@/lib/api-client";
import { ApiProblem, type EndReason } from "@/lib/problem";
import type { Account, SessionReading } from "./api/current-session";

export type SessionStatus = "loading" | "anonymous" | "signed-in" | "unavailable";

/** What this page knows of the session. Times are milliseconds of this browser's clock. */
export interface SessionState {
  readonly status: SessionStatus;
  /** The session ID: a name, not a secret. There may be one before sign-in, too. */
  readonly sessionId: string | null;
  /** Whose session it is; while the status is "unavailable", whose it was when last read. */
  readonly account: Account | null;
  readonly idleExpiresAt: number | null;
  readonly absoluteExpiresAt: number | null;
  /** The longest time to the idle deadline that was seen: what a full ring stands for. */
  readonly idleTimeout: number | null;
  readonly endReason: EndReason | null;
  /** The session ended while this page was showing, and nobody has said "I know" yet. */
  readonly endUnseen: boolean;
  /** What is away while the status is "unavailable". */
  readonly away: "store" | "connection" | null;
  /** Seconds until the next try while the status is "unavailable". */
  readonly retryIn: number | null;
}

/** What the store needs from its surroundings. */
export interface SessionSurroundings {
  readonly read: (options: RequestOptions) => Promise<SessionReading>;
  readonly now: () => number;
  readonly visible: () => boolean;
  /** Keeps the CSRF token of the session that was read last; an overtaken answer's is not kept. */
  readonly keepCsrfToken: (token: string | null) => void;
  /** Tells the other tabs of this browser. No token ever goes this way. */
  readonly tell: (message: SessionMessage) => void;
}

export type SessionMessage = "changed" | "signed-out";

export const POLL_MS = 60_000;
/** A little after the deadline, so that the answer is clear. */
const AFTER_DEADLINE_MS = 1_500;
const STORE_RETRY_S = 4;
const CONNECTION_RETRY_S = 10;

const START: SessionState = {
  status: "loading",
  sessionId: null,
  account: null,
  idleExpiresAt: null,
  absoluteExpiresAt: null,
  idleTimeout: null,
  endReason: null,
  endUnseen: false,
  away: null,
  retryIn: null,
};

/**
 * The session as one page knows it, read again whenever it may have changed.
 *
 * Only an answer of the users service changes who is signed in. An answer that a sign-in or sign-out has overtaken is
 * dropped. No answer at all leaves the account as it was and says "unavailable".
 */
export class SessionStore {
  private state: SessionState = START;
  private readonly listeners = new Set<() => void>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private reading: Promise<void> | null = null;
  private readAgain = false;
  /** Raised by each sign-in and sign-out; an answer to an older question is dropped. */
  private era = 0;
  /** The session was ended from this browser, on purpose: no surprise to tell of. */
  private endedHere = false;
  private retryAt = 0;

  constructor(private readonly surroundings: SessionSurroundings) {}

  readonly snapshot = (): SessionState => this.state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Reads the session now. Calls that overlap share an answer, but none gets one that was asked for before it. */
  async refresh(options: RequestOptions = {}): Promise<void> {
    if (this.reading !== null) {
      this.readAgain = true;
      await this.reading;
      return;
    }
    this.reading = this.readUntilFresh(options);
    try {
      await this.reading;
    } finally {
      this.reading = null;
    }
  }

  /** Takes over what a sign-in answered. */
  signedIn(reading: SessionReading): void {
    this.era += 1;
    this.endedHere = false;
    this.take(reading);
    this.surroundings.tell("changed");
  }

  /** The session was ended from this page. */
  signedOut(): void {
    this.era += 1;
    this.surroundings.tell("signed-out");
    this.endHere();
  }

  /** Another tab of this browser has changed the session. */
  hear(message: SessionMessage): void {
    this.era += 1;
    if (message === "signed-out") this.endHere();
    void this.refresh({ passive: true });
  }

  /** The user knows that the session ended. */
  acknowledgeEnd(): void {
    this.change({ endUnseen: false });
  }

  /** Another request failed in a way that may be about the session. */
  suspect(problem: ApiProblem): void {
    // When the store is away, the question on its way or the next try will tell; a 401 is news in any case.
    if (problem.status !== 401 && (this.reading !== null || this.state.status === "unavailable")) return;
    void this.refresh({ passive: true });
  }

  /** A request that changes something was carried out. The first may have created a session before sign-in. */
  written(): void {
    if (this.state.status === "anonymous" && this.state.sessionId === null) void this.refresh({ passive: true });
  }

  /** Stops the timer; `refresh` starts it again. */
  stop(): void {
    clearTimeout(this.timer);
  }

  private endHere(): void {
    this.endedHere = true;
    this.change({ ...START, status: "anonymous", endReason: "logout" });
    this.schedule();
  }

  private async readUntilFresh(options: RequestOptions): Promise<void> {
    let again = true;
    while (again) {
      this.readAgain = false;
      const era = this.era;
      try {
        const reading = await this.surroundings.read(options);
        if (era === this.era) this.take(reading);
      } catch (error) {
        if (era === this.era) this.lose(error);
      }
      again = this.wantedAgain();
    }
  }

  private wantedAgain(): boolean {
    return this.readAgain;
  }

  private take({ current, skew }: SessionReading): void {
    this.surroundings.keepCsrfToken(current.csrf_token);
    const before = this.state;
    const idleExpiresAt = instant(current.idle_expires_at, skew);
    const account = current.account;
    if (account !== null) this.endedHere = false;
    const same = before.sessionId === current.id;
    const idleLeft = idleExpiresAt === null ? null : idleExpiresAt - this.surroundings.now();
    const ended = before.account !== null && account === null && !this.endedHere;
    this.change({
      status: account === null ? "anonymous" : "signed-in",
      sessionId: current.id,
      account,
      idleExpiresAt,
      absoluteExpiresAt: instant(current.absolute_expires_at, skew),
      idleTimeout: idleLeft === null ? null : Math.max(idleLeft, same ? (before.idleTimeout ?? 0) : 0),
      endReason: account === null ? this.reasonOf(current.end_reason) : null,
      endUnseen: account === null && (ended || before.endUnseen),
      away: null,
      retryIn: null,
    });
    this.schedule();
  }

  /** Sign-in rotates an anonymous session away; that is no end that a user would know of. */
  private reasonOf(reason: EndReason | null): EndReason | null {
    if (this.endedHere) return "logout";
    return reason === "rotated-away" ? null : reason;
  }

  private lose(error: unknown): void {
    const problem = error instanceof ApiProblem ? error : null;
    const away = problem?.offline === true ? "connection" : "store";
    const wait = problem?.retryAfter ?? (away === "store" ? STORE_RETRY_S : CONNECTION_RETRY_S);
    this.retryAt = this.surroundings.now() + Math.max(1, wait) * 1000;
    this.change({ status: "unavailable", away, retryIn: Math.max(1, wait) });
    this.schedule();
  }

  private schedule(): void {
    clearTimeout(this.timer);
    const { status } = this.state;
    if (status === "unavailable") this.timer = setTimeout(() => this.countDown(), 1_000);
    else if (status === "signed-in") this.timer = setTimeout(() => this.poll(), this.untilPoll());
  }

  private countDown(): void {
    const left = Math.ceil((this.retryAt - this.surroundings.now()) / 1000);
    this.change({ retryIn: Math.max(0, left) });
    if (left <= 0) void this.refresh({ passive: true });
    else this.schedule();
  }

  private poll(): void {
    // A hidden page waits: becoming visible reads the session at once.
    if (this.surroundings.visible()) void this.refresh({ passive: true });
    else this.schedule();
  }

  private untilPoll(): number {
    const deadlines = [this.state.idleExpiresAt, this.state.absoluteExpiresAt].filter((at) => at !== null);
    const next = Math.min(...deadlines) - this.surroundings.now() + AFTER_DEADLINE_MS;
    return next > 0 ? Math.min(POLL_MS, next) : POLL_MS;
  }

  private change(part: Partial<SessionState>): void {
    this.state = { ...this.state, ...part };
    for (const listener of this.listeners) listener();
  }
}

function instant(text: string | null, skew: number): number | null {
  return text === null ? null : Date.parse(text) - skew;
}
