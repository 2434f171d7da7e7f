import { useEffect, useState } from "react";

/** The time now, in milliseconds, told anew each `step` milliseconds. */
export function useNow(step: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), step);
    return () => clearInterval(timer);
  }, [step]);
  return now;
}

/** "4 s", "2 min": how one says a wait in a few letters. Seconds in, rounded up. */
export function formatWait(seconds: number): string {
  return seconds < 90 ? `${Math.max(0, Math.ceil(seconds))} s` : `${Math.ceil(seconds / 60)} min`;
}
