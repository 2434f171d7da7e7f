import type { ReactNode } from "react";
import { cx } from "./cx";
import classes from "./empty-state.module.css";
import { Drawing, type DrawingName } from "./drawing";

export interface EmptyStateProps {
  drawing: DrawingName;
  title: string;
  /** What this place is for, and how something gets here. */
  children?: ReactNode;
  /** The next step. */
  action?: ReactNode;
  className?: string | undefined;
}

/** Nothing is here yet: a drawing, a sentence and the next step. */
export function EmptyState({ drawing, title, children, action, className }: EmptyStateProps) {
  return (
    <div className={cx(classes.empty, className)}>
      <Drawing name={drawing} className={classes.drawing} />
      <h2>{title}</h2>
      {children ? <div className={classes.words}>{children}</div> : null}
      {action ? <div className={classes.action}>{action}</div> : null}
    </div>
  );
}
