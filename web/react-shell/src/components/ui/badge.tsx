import type { ReactNode } from "react";
import classes from "./badge.module.css";
import { cx } from "./cx";

export type BadgeTone = "neutral" | "accent" | "success" | "warning" | "danger";

/** One or two words about the thing beside it. */
export function Badge({ tone = "neutral", children, className }: { tone?: BadgeTone; children: ReactNode; className?: string | undefined }) {
  return <span className={cx(classes.badge, classes[tone], className)}>{children}</span>;
}
