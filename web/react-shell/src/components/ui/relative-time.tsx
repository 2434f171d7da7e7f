import { useSyncExternalStore } from "react";

const steps: readonly [limit: number, seconds: number, unit: Intl.RelativeTimeFormatUnit][] = [
  [3600, 60, "minute"],
  [86_400, 3600, "hour"],
  [7 * 86_400, 86_400, "day"],
  [35 * 86_400, 7 * 86_400, "week"],
  [365 * 86_400, 30 * 86_400, "month"],
  [Infinity, 365 * 86_400, "year"],
];

/** "3 minutes ago", "in 2 hours"; less than 45 seconds away is "just now" or "in a moment". Both times in milliseconds. */
export function formatRelative(at: number, now: number): string {
  const seconds = (at - now) / 1000;
  if (Math.abs(seconds) < 45) return seconds > 0 ? "in a moment" : "just now";
  const [, size, unit] = steps.find(([limit]) => Math.abs(seconds) < limit) ?? [Infinity, 365 * 86_400, "year" as const];
  const count = Math.max(1, Math.round(Math.abs(seconds) / size));
  return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(seconds < 0 ? -count : count, unit);
}

/** "22 November 2026, 20:42", in the reader's own time zone. */
export function formatExact(at: number): string {
  return new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "short" }).format(at);
}

const STEP = 30_000;
let now = Date.now();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** One timer for all the times of a page. */
function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  now = Date.now();
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, STEP);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** A time as one says it, with the exact one in its tooltip; it keeps itself up to date. */
export function RelativeTime({ at, className }: { at: string | number; className?: string | undefined }) {
  const current = useSyncExternalStore(subscribe, () => now);
  const time = typeof at === "number" ? at : Date.parse(at);
  return (
    <time className={className} dateTime={new Date(time).toISOString()} title={formatExact(time)}>
      {formatRelative(time, current)}
    </time>
  );
}
