import { Link } from "react-router";
import { Brand } from "./brand";
import classes from "./footer.module.css";

/** What the shop is, and the ways that are not in the header. */
export function Footer() {
  return (
    <footer className={classes.footer}>
      <div className={classes.inner}>
        <div className={classes.about}>
          <Brand />
          <p>Instruments for people who measure. The example shop of Polysession: one session for Django, Flask and React.</p>
        </div>
        <nav aria-label="Footer">
          <ul className={classes.links}>
            <li>
              <Link to="/">Catalogue</Link>
            </li>
            <li>
              <Link to="/cart">Cart</Link>
            </li>
            <li>
              <Link to="/orders">Orders</Link>
            </li>
            <li>
              <Link to="/devices">Where you are signed in</Link>
            </li>
            <li>
              <Link to="/account">Account</Link>
            </li>
          </ul>
        </nav>
      </div>
    </footer>
  );
}
