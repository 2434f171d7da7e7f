import type { ReactNode } from "react";
import { cx } from "./cx";
import classes from "./skeleton.module.css";

export interface SkeletonProps {
  shape?: "text" | "title" | "control" | "picture" | "circle" | "block";
  width?: "quarter" | "third" | "half" | "most" | "full";
}

/** A grey place where something will be. Group them in `Loading`, which says so to a screen reader. */
export function Skeleton({ shape = "text", width = "full" }: SkeletonProps) {
  return <span className={cx(classes.skeleton, classes[shape], classes[width])} aria-hidden="true" />;
}

/** Holds the skeletons of a layout that is being loaded. */
export function Loading({ label, children, className }: { label: string; children: ReactNode; className?: string | undefined }) {
  return (
    <div className={className} role="status" aria-label={label}>
      {children}
    </div>
  );
}
