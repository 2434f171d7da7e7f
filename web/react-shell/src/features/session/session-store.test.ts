import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ApiProblem, noAnswer } from "@/lib/problem";
import { ADA, adasSession, NOBODY } from "@/test/session";
import type { CurrentSession, SessionReading } from "./api/current-session";
import { POLL_MS, type SessionMessage, SessionStore } from "./session-store";

let answer: () => Promise<SessionReading>;
let asked: { passive?: boolean | undefined }[];
let told: SessionMessage[];
let kept: (string | null)[];
let visible: boolean;
let store: SessionStore;

const says = (current: CurrentSession, skew = 0) => () => Promise.resolve({ current, skew });
const fails = (error: ApiProblem) => () => Promise.reject(error);
const minutes = (count: number) => new Date(Date.now() + count * 60_000).toISOString();

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  told = [];
  kept = [];
  visible = true;
  store = new SessionStore({
    read: (options) => {
      asked.push(options);
      return answer();
    },
    keepCsrfToken: (token) => kept.push(token),
    now: Date.now,
    visible: () => visible,
    tell: (message) => told.push(message),
  });
});
afterEach(() => {
  store.stop();
  vi.useRealTimers();
});

async function signedInStore(change: Partial<CurrentSession> = {}): Promise<void> {
  answer = says(adasSession(change));
  await store.refresh();
}

test("what the service says is what the page knows", async () => {
  expect(store.snapshot().status).toBe("loading");
  await signedInStore();
  expect(store.snapshot()).toMatchObject({ status: "signed-in", account: ADA, sessionId: "AAAAAAAAAAAAAAAA" });
});

test("deadlines are told in this browser's clock, however wrong it is", async () => {
  const local = Date.now() + 10 * 60_000;
  answer = says(adasSession({ idle_expires_at: new Date(local + 3_600_000).toISOString() }), 3_600_000);
  await store.refresh();
  expect(store.snapshot().idleExpiresAt).toBe(local);
});

test("a signed-in page asks once a minute, and that is no use of the session", async () => {
  await signedInStore();
  await vi.advanceTimersByTimeAsync(2 * POLL_MS);
  expect(asked).toEqual([{}, { passive: true }, { passive: true }]);
});

test("a hidden page does not ask", async () => {
  await signedInStore();
  visible = false;
  await vi.advanceTimersByTimeAsync(5 * POLL_MS);
  expect(asked).toHaveLength(1);
});

test("a page asks right after the idle deadline, and tells why the session ended", async () => {
  await signedInStore({ idle_expires_at: minutes(0.5) });
  answer = says({ ...NOBODY, end_reason: "idle" });
  await vi.advanceTimersByTimeAsync(33_000);
  expect(store.snapshot()).toMatchObject({ status: "anonymous", account: null, endReason: "idle", endUnseen: true });
  store.acknowledgeEnd();
  expect(store.snapshot()).toMatchObject({ endReason: "idle", endUnseen: false });
});

test("an end that was there before the page is not news", async () => {
  answer = says({ ...NOBODY, end_reason: "revoked" });
  await store.refresh();
  expect(store.snapshot()).toMatchObject({ status: "anonymous", endReason: "revoked", endUnseen: false });
});

test("the anonymous session that sign-in rotated away is no end that a user knows of", async () => {
  answer = says({ ...NOBODY, end_reason: "rotated-away" });
  await store.refresh();
  expect(store.snapshot().endReason).toBeNull();
});

test("signing out here is no surprise, whatever the service calls it", async () => {
  await signedInStore();
  store.signedOut();
  answer = says({ ...NOBODY, end_reason: "revoked" });
  await store.refresh();
  expect(store.snapshot()).toMatchObject({ status: "anonymous", endReason: "logout", endUnseen: false });
  expect(told).toEqual(["signed-out"]);
});

test("an answer that a sign-in has overtaken is dropped", async () => {
  let late: (reading: SessionReading) => void = () => undefined;
  answer = () => new Promise((resolve) => (late = resolve));
  const reading = store.refresh();
  store.signedIn({ current: adasSession(), skew: 0 });
  late({ current: NOBODY, skew: 0 });
  await reading;
  expect(store.snapshot()).toMatchObject({ status: "signed-in", account: ADA });
  expect(kept).toEqual(["csrf-of-ada"]);
});

test("a question asked while another is on its way is asked again, so its answer is not older than it", async () => {
  const answers: ((reading: SessionReading) => void)[] = [];
  answer = () => new Promise((resolve) => answers.push(resolve));
  const first = store.refresh();
  const second = store.refresh();
  answers[0]?.({ current: adasSession(), skew: 0 });
  await vi.advanceTimersByTimeAsync(0);
  answers[1]?.({ current: NOBODY, skew: 0 });
  await Promise.all([first, second]);
  expect(store.snapshot().status).toBe("anonymous");
});

test("a store that is away changes nobody's account, counts down and asks again by itself", async () => {
  await signedInStore();
  answer = fails(new ApiProblem({ status: 503, title: "Away", retryAfter: 3 }));
  await store.refresh();
  expect(store.snapshot()).toMatchObject({ status: "unavailable", account: ADA, away: "store", retryIn: 3 });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(store.snapshot().retryIn).toBe(2);
  answer = says(adasSession());
  await vi.advanceTimersByTimeAsync(2_500);
  expect(store.snapshot()).toMatchObject({ status: "signed-in", away: null, retryIn: null });
});

test("no connection is told apart from a store that is away", async () => {
  answer = fails(noAnswer(new TypeError()));
  await store.refresh();
  expect(store.snapshot()).toMatchObject({ status: "unavailable", away: "connection", retryIn: 10 });
});

test("a 503 elsewhere does not ask again while the store is known to be away", async () => {
  const away = new ApiProblem({ status: 503, title: "Away", retryAfter: 30 });
  answer = fails(away);
  await store.refresh();
  store.suspect(away);
  expect(asked).toHaveLength(1);
  store.suspect(new ApiProblem({ status: 401, title: "No" }));
  expect(asked).toHaveLength(2);
});

test("a full ring is the longest time that this session was seen to have", async () => {
  await signedInStore({ idle_expires_at: minutes(30) });
  await signedInStore({ idle_expires_at: minutes(12) });
  expect(store.snapshot().idleTimeout).toBe(30 * 60_000);
  await signedInStore({ id: "BBBBBBBBBBBBBBBB", idle_expires_at: minutes(20) });
  expect(store.snapshot().idleTimeout).toBe(20 * 60_000);
});

test("what another tab did is read, and its sign-out is no surprise here", async () => {
  await signedInStore();
  answer = says(NOBODY);
  store.hear("signed-out");
  await vi.advanceTimersByTimeAsync(0);
  expect(store.snapshot()).toMatchObject({ status: "anonymous", endReason: "logout", endUnseen: false });
  answer = says(adasSession());
  store.hear("changed");
  await vi.advanceTimersByTimeAsync(0);
  expect(store.snapshot()).toMatchObject({ status: "signed-in", endReason: null });
  expect(told).toEqual([]);
});
