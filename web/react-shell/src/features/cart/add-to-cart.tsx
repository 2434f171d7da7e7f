import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useNavigate } from "react-router";
import { Button } from "@/components/ui/button";
import { ProblemNotice } from "@/components/ui/problem-notice";
import { useToast } from "@/components/ui/toast";
import classes from "./add-to-cart.module.css";
import { cartQuery, MOST, quantityIn, useAddToCart } from "./cart";
import { Stepper } from "./components/stepper";
import { flyToCart } from "./flight";

export interface AddToCartProps {
  sku: string;
  name: string;
  stock: number;
}

/** A quantity and the button that puts it into the cart. */
export function AddToCart({ sku, name, stock }: AddToCartProps) {
  const [count, setCount] = useState(1);
  const cart = useQuery(cartQuery);
  const add = useAddToCart();
  const toast = useToast();
  const navigate = useNavigate();
  const inCart = quantityIn(cart.data, sku);
  const room = Math.min(stock, MOST) - inCart;

  if (stock === 0) return <p className={classes.none}>We have sold the last one. The next are being made; look again in a few weeks.</p>;

  const press = async () => {
    const done = await add.run(sku, Math.min(count, room));
    if (done === undefined) return;
    flyToCart();
    setCount(1);
    toast.show({
      title: "Added to your cart",
      description: name,
      tone: "success",
      action: { label: "View cart", onPress: () => void navigate("/cart") },
    });
  };

  return (
    <div className={classes.buy}>
      <div className={classes.row}>
        <Stepper of={name} value={Math.min(count, Math.max(room, 1))} most={Math.max(room, 1)} onChange={setCount} />
        <Button look="primary" size="large" className={classes.add} pending={add.pending} disabled={room <= 0} onClick={() => void press()}>
          Add to cart
        </Button>
      </div>
      {inCart > 0 && (
        <p className={classes.note}>
          {room <= 0 ? `All ${inCart} that we have are in your cart.` : `${inCart} in your cart.`} <Link to="/cart">View cart</Link>
        </p>
      )}
      {add.error && <ProblemNotice error={add.error} title="It was not added" onRetry={() => void press()} />}
    </div>
  );
}
