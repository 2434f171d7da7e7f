import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { LinkButton } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { PageHeader } from "@/components/ui/page-header";
import { ProblemNotice } from "@/components/ui/problem-notice";
import { Loading } from "@/components/ui/skeleton";
import { useSession } from "@/features/session/session-context";
import type { Cart } from "./api/get-cart";
import { cartQuery } from "./cart";
import { CartLine, CartLineSkeleton } from "./components/cart-line";
import { Total } from "./components/total";
import classes from "./cart-page.module.css";

/** What the session has put aside. It belongs to the session, and comes along when one signs in. */
export function CartPage() {
  const cart = useQuery(cartQuery);
  return (
    <>
      <PageHeader title="Your cart" />
      {cart.data ? (
        cart.data.items.length === 0 ? (
          <EmptyState
            drawing="empty-cart"
            title="There is nothing in it yet"
            action={
              <LinkButton to="/" look="primary">
                See the catalogue
              </LinkButton>
            }
          >
            What you add stays here while you look around, and comes along when you sign in.
          </EmptyState>
        ) : (
          <Filled cart={cart.data} />
        )
      ) : cart.error ? (
        <ProblemNotice place="page" error={cart.error} title="We cannot show your cart right now" onRetry={() => void cart.refetch()} />
      ) : (
        <Loading label="Loading your cart" className={classes.layout}>
          <div>
            <CartLineSkeleton />
            <CartLineSkeleton />
          </div>
        </Loading>
      )}
    </>
  );
}

function Filled({ cart }: { cart: Cart }) {
  const { status } = useSession();
  return (
    <div className={classes.layout}>
      <ul className={classes.lines}>
        {cart.items.map((line) => (
          <CartLine key={line.sku} line={line} />
        ))}
      </ul>
      <Total count={cart.count} total={cart.total}>
        <LinkButton to="/checkout" look="primary" size="large" wide>
          {status === "anonymous" ? "Sign in and check out" : "Check out"}
        </LinkButton>
        {status === "anonymous" && <p className={classes.note}>Your cart comes along when you sign in.</p>}
        <p className={classes.note}>
          <Link to="/">Go on looking</Link>
        </p>
      </Total>
    </div>
  );
}
