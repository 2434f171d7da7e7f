import { Link, useLocation } from "react-router";
import { LinkButton } from "@/components/ui/button";
import { Skeleton } from "@/components/ui/skeleton";
import { ThemeSwitch } from "@/components/ui/theme-switch";
import { CartLink } from "@/features/cart/cart-link";
import { signInPath } from "@/features/session/return-path";
import { useSession } from "@/features/session/session-context";
import { SessionPill } from "@/features/session/session-pill";
import { SearchBox } from "@/features/shop/search-box";
import { Brand } from "./brand";
import classes from "./header.module.css";

/** Brand, search, theme, cart, session. */
export function Header() {
  return (
    <header className={classes.header}>
      <div className={classes.inner}>
        <Link to="/" className={classes.brand} aria-label="Almanac, to the catalogue">
          <Brand />
        </Link>
        <div className={classes.search}>
          <SearchBox />
        </div>
        <div className={classes.tools}>
          <ThemeSwitch />
          <CartLink />
          <SessionPlace />
        </div>
      </div>
    </header>
  );
}

function SessionPlace() {
  const { account, status } = useSession();
  const location = useLocation();
  if (account !== null) return <SessionPill />;
  if (status === "loading") return <Skeleton shape="circle" />;
  if (location.pathname === "/sign-in") return null;
  const path = ["/sign-up", "/ended"].includes(location.pathname) ? "/sign-in" : signInPath(location);
  return (
    <LinkButton to={path} size="small" className={classes.signIn}>
      Sign in
    </LinkButton>
  );
}
