import type { ComponentProps } from "react";
import classes from "./card.module.css";
import { cx } from "./cx";

export interface CardProps extends ComponentProps<"div"> {
  as?: "div" | "section" | "article" | "aside" | "li" | "form";
  /** Without its own padding, for rows that reach the edge. */
  flush?: boolean;
  tone?: "plain" | "danger" | "warning" | "accent";
}

/** A sheet on the paper: a hairline, no shadow. */
export function Card({ as = "div", flush = false, tone = "plain", className, ...rest }: CardProps) {
  const Tag = as as "div";
  return <Tag {...rest} className={cx(classes.card, !flush && classes.padded, classes[tone], className)} />;
}
