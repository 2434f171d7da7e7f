import { ProductPicture } from "@/components/ui/drawing";
import { Icon } from "@/components/ui/icon";
import { Price } from "@/components/ui/price";
import type { Line } from "../api/get-cart";
import classes from "./order-lines.module.css";

export interface OrderLinesProps {
  caption: string;
  lines: readonly Line[];
  /** What is wrong with a product, by SKU. */
  faults?: Readonly<Record<string, readonly string[]>>;
}

/** Lines that are only read, as they will be ordered. */
export function OrderLines({ caption, lines, faults = {} }: OrderLinesProps) {
  return (
    <ul className={classes.lines} aria-label={caption}>
      {lines.map((line) => (
        <li key={line.sku} className={classes.line}>
          <div className={classes.plate}>
            <ProductPicture image={line.image} />
          </div>
          <div>
            <p className={classes.name}>{line.name}</p>
            <p className={classes.count}>
              {line.quantity} × <Price money={line.price} size="small" />
            </p>
            {faults[line.sku]?.map((fault) => (
              <p key={fault} className={classes.fault}>
                <Icon name="warning" /> {fault}
              </p>
            ))}
          </div>
          <Price money={line.subtotal} />
        </li>
      ))}
    </ul>
  );
}
