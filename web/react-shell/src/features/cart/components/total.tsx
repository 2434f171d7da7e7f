import type { ReactNode } from "react";
import { Card } from "@/components/ui/card";
import { Price, type Money } from "@/components/ui/price";
import classes from "./total.module.css";

/** What it comes to, and the way on. */
export function Total({ count, total, children }: { count: number; total: Money; children: ReactNode }) {
  return (
    <Card as="aside" aria-label="Total" className={classes.total}>
      <dl className={classes.sums}>
        <div>
          <dt>{count === 1 ? "1 thing" : `${count} things`}</dt>
          <dd>
            <Price money={total} size="small" />
          </dd>
        </div>
        <div>
          <dt>Delivery</dt>
          <dd>Included</dd>
        </div>
        <div className={classes.sum}>
          <dt>Total</dt>
          <dd>
            <Price money={total} size="large" />
          </dd>
        </div>
      </dl>
      {children}
    </Card>
  );
}
