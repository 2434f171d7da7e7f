import { LinkButton } from "@/components/ui/button";
import { formatMoney } from "@/components/ui/price";
import { Card } from "@/components/ui/card";
import type { Change } from "../cart";
import classes from "./changes.module.css";

function wordsOf(change: Change): string {
  const { name } = change.line;
  switch (change.kind) {
    case "gone":
      return `${name} is no longer in the cart.`;
    case "new":
      return `${name} is new in the cart.`;
    case "quantity":
      return `${name}: ${change.before} became ${change.line.quantity}.`;
    case "price":
      return `${name}: ${formatMoney(change.before)} became ${formatMoney(change.line.price)}.`;
  }
}

export interface ChangesProps {
  changes: readonly Change[];
  faults: Readonly<Record<string, readonly string[]>>;
  detail: string | undefined;
}

/** Why the confirmation no longer holds: nothing was ordered, and this is what to look at before the next. */
export function Changes({ changes, faults, detail }: ChangesProps) {
  const hasFaults = Object.keys(faults).length > 0;
  return (
    <Card tone="warning" role="alert" className={classes.changes}>
      <h2>{changes.length > 0 ? "Your cart has changed" : "We cannot order it like this"}</h2>
      <p>Nothing was ordered. {changes.length > 0 ? "Look at what changed, then confirm again." : hasFaults ? "See the marked products, and change the cart." : detail}</p>
      {changes.length > 0 && (
        <ul>
          {changes.map((change) => (
            <li key={`${change.kind}-${change.line.sku}`}>{wordsOf(change)}</li>
          ))}
        </ul>
      )}
      {hasFaults && (
        <p>
          <LinkButton to="/cart" size="small">
            Change the cart
          </LinkButton>
        </p>
      )}
    </Card>
  );
}
