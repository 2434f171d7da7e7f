import { useEffect, useEffectEvent, useState } from "react";
import { Link } from "react-router";
import { Button } from "@/components/ui/button";
import { cx } from "@/components/ui/cx";
import { ProductPicture } from "@/components/ui/drawing";
import { Price } from "@/components/ui/price";
import { ProblemNotice } from "@/components/ui/problem-notice";
import { Skeleton } from "@/components/ui/skeleton";
import type { Line } from "../api/get-cart";
import { useRemoveLine, useSetQuantity } from "../cart";
import classes from "./cart-line.module.css";
import { Stepper } from "./stepper";

const SETTLE_MS = 300;

/** One line of the cart. Steps that follow each other quickly are sent as one. */
export function CartLine({ line }: { line: Line }) {
  const setQuantity = useSetQuantity();
  const remove = useRemoveLine();
  const [wanted, setWanted] = useState<number | null>(null);

  const send = useEffectEvent(async (quantity: number) => {
    await setQuantity.run(line.sku, quantity);
    // Either the cart has it now, or the error says that it has not: the cart is the truth again.
    setWanted((latest) => (latest === quantity ? null : latest));
  });
  useEffect(() => {
    if (wanted === null) return;
    const timer = setTimeout(() => void send(wanted), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [wanted]);

  const error = setQuantity.error ?? remove.error;
  return (
    <li className={cx(classes.line, remove.pending && classes.leaving)}>
      <Link to={`/products/${line.sku}`} className={classes.plate} tabIndex={-1} aria-hidden="true">
        <ProductPicture image={line.image} />
      </Link>
      <div className={classes.words}>
        <h2 className={classes.name}>
          <Link to={`/products/${line.sku}`}>{line.name}</Link>
        </h2>
        <p className={classes.each}>
          <Price money={line.price} size="small" /> each
        </p>
      </div>
      <div className={classes.controls}>
        <Stepper of={line.name} value={wanted ?? line.quantity} onChange={setWanted} />
        <Button look="quiet" size="small" pending={remove.pending} aria-label={`Remove ${line.name}`} onClick={() => void remove.run(line.sku)}>
          Remove
        </Button>
      </div>
      <Price money={line.subtotal} className={cx(classes.subtotal, wanted !== null && classes.stale)} />
      {error && <ProblemNotice className={classes.problem} error={error} title="The cart was not changed" />}
    </li>
  );
}

export function CartLineSkeleton() {
  return (
    <div className={classes.line}>
      <div className={classes.plate}>
        <Skeleton shape="picture" />
      </div>
      <div className={classes.words}>
        <Skeleton width="most" />
        <Skeleton width="third" />
      </div>
    </div>
  );
}
