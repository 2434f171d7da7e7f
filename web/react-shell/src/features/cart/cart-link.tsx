import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { Icon } from "@/components/ui/icon";
import { cartQuery } from "./cart";
import classes from "./cart-link.module.css";
import { CART_ID } from "./flight";

/** The way to the cart, with the number of things in it. When the cart cannot be read there is no number. */
export function CartLink() {
  const cart = useQuery(cartQuery);
  const count = cart.data?.count ?? 0;
  const label = cart.data === undefined ? "Cart" : count === 0 ? "Cart, empty" : count === 1 ? "Cart, 1 thing" : `Cart, ${count} things`;
  return (
    <Link to="/cart" id={CART_ID} className={classes.link} aria-label={label} title="Cart">
      <Icon name="cart" />
      {count > 0 && (
        <span key={count} className={classes.count} aria-hidden="true">
          {count > 99 ? "99+" : count}
        </span>
      )}
    </Link>
  );
}
