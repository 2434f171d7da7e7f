import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useNavigate } from "react-router";
import { Button, LinkButton } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { PageHeader } from "@/components/ui/page-header";
import { formatMoney } from "@/components/ui/price";
import { ProblemNotice } from "@/components/ui/problem-notice";
import { Loading } from "@/components/ui/skeleton";
import { useSession } from "@/features/session/session-context";
import { useAction } from "@/lib/actions";
import { ApiProblem } from "@/lib/problem";
import type { Cart, Line } from "./api/get-cart";
import { placeOrder } from "./api/place-order";
import { cartQuery, changesBetween, noCart, type Change } from "./cart";
import classes from "./checkout-page.module.css";
import { CartLineSkeleton } from "./components/cart-line";
import { Changes } from "./components/changes";
import { OrderLines } from "./components/order-lines";
import { Total } from "./components/total";

/** What the customer pressed the button for, and the key that makes a repetition harmless. */
interface Confirmation {
  readonly cart: Cart;
  readonly key: string;
}

/** Why the last confirmation was refused. */
interface Refusal {
  readonly changes: readonly Change[];
  readonly faults: Readonly<Record<string, readonly string[]>>;
  readonly detail: string | undefined;
}

/**
 * Confirms the cart as it is shown.
 *
 * A confirmation keeps its cart and its key until it is answered: when the answer is lost, the order may have been
 * placed and the cart emptied, and only the same items under the same key find out without ordering twice.
 */
export function CheckoutPage() {
  const cart = useQuery(cartQuery);
  const checkout = useCheckout();
  const shown = checkout.unanswered ?? cart.data;
  return (
    <>
      <PageHeader title="Check out" />
      {shown ? (
        shown.items.length === 0 ? (
          <Nothing />
        ) : (
          <Confirm cart={shown} checkout={checkout} />
        )
      ) : cart.error ? (
        <ProblemNotice place="page" error={cart.error} onRetry={() => void cart.refetch()} />
      ) : (
        <Loading label="Loading your cart">
          <CartLineSkeleton />
        </Loading>
      )}
    </>
  );
}

function useCheckout() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [confirmation, setConfirmation] = useState<Confirmation | null>(null);
  const [refusal, setRefusal] = useState<Refusal | null>(null);

  const refused = async (lines: readonly Line[], problem: ApiProblem) => {
    setConfirmation(null);
    // Without the cart of now, what the answer says about each product is still shown.
    const now = await client.query({ ...cartQuery, staleTime: 0 }).catch(() => null);
    setRefusal({ changes: now ? changesBetween(lines, now.items) : [], faults: problem.errors, detail: problem.detail });
  };

  const place = useAction("Place order", async (span, cart: Cart) => {
    const current = confirmation ?? { cart, key: crypto.randomUUID() };
    setConfirmation(current);
    setRefusal(null);
    try {
      const items = current.cart.items.map(({ sku, quantity }) => ({ sku, quantity }));
      const order = await placeOrder(items, current.key, span);
      client.setQueryData(cartQuery.queryKey, noCart);
      void client.invalidateQueries({ queryKey: ["orders"] });
      await navigate(`/orders/${order.id}`, { replace: true, state: { placed: true } });
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 409) {
        await refused(current.cart.items, error);
        return;
      }
      // Answered, and nothing was ordered: the next press is a new confirmation. Else the same one goes on.
      if (error instanceof ApiProblem && !error.offline && !error.unavailable) setConfirmation(null);
      throw error;
    }
  });

  return { place, refusal, unanswered: confirmation?.cart };
}

function Confirm({ cart, checkout }: { cart: Cart; checkout: ReturnType<typeof useCheckout> }) {
  const { account } = useSession();
  const { place, refusal, unanswered } = checkout;
  const press = () => void place.run(cart);
  const trying = place.error !== null && unanswered !== undefined;
  // A 503 of the service itself says that nothing was ordered. Without its words the answer is the edge's, or none.
  const unsure = trying && !(place.error.status === 503 && place.error.detail !== undefined);
  return (
    <div className={classes.layout}>
      <div className={classes.main}>
        {refusal && <Changes {...refusal} />}
        <OrderLines caption="What you are ordering" lines={cart.items} faults={refusal?.faults ?? {}} />
        <p className={classes.note}>
          {trying ? null : (
            <>
              Something to change? <Link to="/cart">Go back to the cart</Link>
            </>
          )}
        </p>
      </div>
      <Total count={cart.count} total={cart.total}>
        {account && (
          <p className={classes.note}>
            The confirmation goes to <strong>{account.email}</strong>.
          </p>
        )}
        <Button look="primary" size="large" wide pending={place.pending} onClick={press}>
          {trying ? "Try again, order once" : `Place the order · ${formatMoney(cart.total)}`}
        </Button>
        {place.error && (
          <ProblemNotice error={place.error} {...(trying && { title: unsure ? "We did not hear whether the order went through" : "The order is not placed yet" })}>
            {unsure && <p>If it did, trying again finds it: it is placed once, however often you try.</p>}
          </ProblemNotice>
        )}
      </Total>
    </div>
  );
}

function Nothing() {
  return (
    <EmptyState
      drawing="empty-cart"
      title="There is nothing to check out"
      action={
        <>
          <LinkButton to="/" look="primary">
            See the catalogue
          </LinkButton>
          <LinkButton to="/orders">See your orders</LinkButton>
        </>
      }
    >
      Your cart is empty. If you have just ordered, you will find it under your orders.
    </EmptyState>
  );
}
