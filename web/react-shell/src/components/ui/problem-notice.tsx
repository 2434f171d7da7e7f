import { useEffect, useEffectEvent, useState, type ReactNode } from "react";
import { ApiProblem } from "@/lib/problem";
import { Button } from "./button";
import { cx } from "./cx";
import { Drawing } from "./drawing";
import { Icon } from "./icon";
import classes from "./problem-notice.module.css";

interface Words {
  title: string;
  detail: string;
  drawing: "offline" | "away" | "broken";
}

/** What happened and what to do next, in words for whoever reads the page. */
function wordsOf(error: unknown): Words {
  if (!(error instanceof ApiProblem)) {
    return { drawing: "broken", title: "Something went wrong on this page", detail: "Load the page again. If it stays, tell us what you did." };
  }
  if (error.offline) {
    return { drawing: "offline", title: "You are offline", detail: "Nothing is lost. This page goes on when the connection is back." };
  }
  if (error.unavailable) {
    return { drawing: "away", title: "We cannot answer right now", detail: error.detail ?? "Nothing was changed, nothing is lost. Try again in a moment." };
  }
  return { drawing: "broken", title: error.title, detail: error.detail ?? "Try again. If it stays, go back to the shop and start from there." };
}

/** Seconds until a second try is welcome; counts down to nothing, and then calls `onOver` once. */
function useCountdown(error: unknown, onOver: () => void): number {
  const [left, setLeft] = useState({ error, seconds: waitOf(error) });
  if (left.error !== error) setLeft({ error, seconds: waitOf(error) });
  const over = useEffectEvent(onOver);
  const running = left.seconds > 0;
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(() => setLeft((was) => ({ ...was, seconds: Math.max(0, was.seconds - 1) })), 1000);
    const end = setTimeout(() => over(), waitOf(error) * 1000);
    return () => {
      clearInterval(timer);
      clearTimeout(end);
    };
  }, [running, error]);
  return left.seconds;
}

function waitOf(error: unknown): number {
  return error instanceof ApiProblem && error.unavailable ? Math.min(error.retryAfter ?? 0, 120) : 0;
}

export interface ProblemNoticeProps {
  error: unknown;
  onRetry?: () => void;
  /** `page` stands where the content would; `inline` above or below what failed. */
  place?: "page" | "inline";
  title?: string;
  children?: ReactNode;
  className?: string | undefined;
}

/**
 * An error that says what happened and what to do next, and with `onRetry` offers a second try.
 *
 * In place of a page it tries by itself when the service said how long to wait (Retry-After): that is a read, and
 * harmless. Inline it never does: what failed may be something that the user did.
 */
export function ProblemNotice({ error, onRetry, place = "inline", title, children, className }: ProblemNoticeProps) {
  const words = wordsOf(error);
  const seconds = useCountdown(error, () => {
    if (place === "page") onRetry?.();
  });
  const retry = onRetry && (
    <Button onClick={onRetry} size={place === "inline" ? "small" : "medium"}>
      <Icon name="refresh" />
      {place === "page" && seconds > 0 ? `Trying again in ${seconds} s` : "Try again"}
    </Button>
  );
  if (place === "page") {
    return (
      <div className={cx(classes.page, className)} role="alert">
        <Drawing name={words.drawing} className={classes.drawing} />
        <h2>{title ?? words.title}</h2>
        <p>{words.detail}</p>
        {children}
        {retry}
      </div>
    );
  }
  return (
    <div className={cx(classes.inline, className)} role="alert">
      <Icon name={words.drawing === "offline" ? "offline" : "warning"} className={classes.icon} />
      <div className={classes.words}>
        <p className={classes.title}>{title ?? words.title}</p>
        <p>{words.detail}</p>
        {children}
        {retry ? <div className={classes.retry}>{retry}</div> : null}
      </div>
    </div>
  );
}
