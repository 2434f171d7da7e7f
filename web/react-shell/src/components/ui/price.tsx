import { cx } from "./cx";
import classes from "./price.module.css";

export interface Money {
  /** Minor units: cents. */
  amount: number;
  currency: string;
}

/** €1,240.00: the same everywhere, so that two prices can be compared by eye. */
export function formatMoney({ amount, currency }: Money): string {
  return new Intl.NumberFormat("en-IE", { style: "currency", currency }).format(amount / 100);
}

/** A price, in the display face with tabular figures. */
export function Price({ money, size = "medium", className }: { money: Money; size?: "small" | "medium" | "large"; className?: string | undefined }) {
  return <span className={cx(classes.price, classes[size], className)}>{formatMoney(money)}</span>;
}
