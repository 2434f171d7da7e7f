import type { ReactNode } from "react";
import { cx } from "./cx";
import classes from "./page-header.module.css";

export interface PageHeaderProps {
  /** The page's one h1, and its document title unless `documentTitle` says otherwise. */
  title: string;
  documentTitle?: string;
  /** A small line above the title: where we are. */
  eyebrow?: ReactNode;
  /** What the page is for, in a sentence. */
  children?: ReactNode;
  actions?: ReactNode;
  className?: string | undefined;
}

/** Every page begins with one. The h1 takes focus after a navigation, where it is there at once. */
export function PageHeader({ title, documentTitle = title, eyebrow, children, actions, className }: PageHeaderProps) {
  return (
    <header className={cx(classes.header, className)}>
      <title>{`${documentTitle} · Almanac`}</title>
      <div className={classes.words}>
        {eyebrow ? <div className={classes.eyebrow}>{eyebrow}</div> : null}
        <h1 tabIndex={-1}>{title}</h1>
        {children ? <div className={classes.lead}>{children}</div> : null}
      </div>
      {actions ? <div className={classes.actions}>{actions}</div> : null}
    </header>
  );
}
