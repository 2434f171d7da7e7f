import { type ReactNode, useId } from "react";
import { Card } from "@/components/ui/card";
import classes from "./account-page.module.css";

/** One thing to change: what it is on the left, how on the right. */
export function Section({ title, children, what, tone = "plain" }: { title: string; what: ReactNode; children: ReactNode; tone?: "plain" | "danger" }) {
  const id = useId();
  return (
    <Card as="section" aria-labelledby={id} className={classes.section} tone={tone}>
      <div className={classes.words}>
        <h2 id={id}>{title}</h2>
        <p>{what}</p>
      </div>
      {children}
    </Card>
  );
}
