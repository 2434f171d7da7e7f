import { Link } from "react-router";
import { Button } from "@/components/ui/button";
import { cx } from "@/components/ui/cx";
import { Icon } from "@/components/ui/icon";
import { formatWait, useNow } from "@/lib/countdown";
import { useAction } from "@/lib/actions";
import { useSession } from "./session-context";
import classes from "./store-away-bar.module.css";

/** From here on the page warns that the session is about to end; WCAG 2.2.1 asks for at least 20 s. */
const WARNING_MS = 120_000;

/** The slim bar under the header, for what a page should know of its session: one thing at a time, the gravest first. */
export function StoreAwayBar() {
  const { status, endUnseen } = useSession();
  if (status === "unavailable") return <AwayBar />;
  if (endUnseen) return <EndedBar />;
  return status === "signed-in" ? <ExpiringBar /> : null;
}

function AwayBar() {
  const { away, retryIn, refresh } = useSession();
  const wait = retryIn === null || retryIn <= 0 ? "trying again now" : `trying again in ${formatWait(retryIn)}`;
  const offline = away === "connection";
  return (
    <section aria-label="Your session" className={classes.bar}>
      <Icon name={offline ? "offline" : "warning"} />
      {/* The countdown is not part of the live text, or it would be read out each second. */}
      <p>
        <span role="status">{offline ? "You are offline." : "We cannot check your session right now."} Nothing is lost; </span>
        <span className={classes.count}>{wait}.</span>
      </p>
      <Button look="quiet" size="small" onClick={() => void refresh()}>
        Try now
      </Button>
    </section>
  );
}

function EndedBar() {
  const { acknowledgeEnd } = useSession();
  return (
    <section aria-label="Your session" className={classes.bar}>
      <Icon name="info" />
      <p role="status">
        You are no longer signed in here. <Link to="/ended">See what happened</Link>
      </p>
      <Button look="quiet" size="small" onClick={acknowledgeEnd}>
        Dismiss
      </Button>
    </section>
  );
}

function ExpiringBar() {
  const { idleExpiresAt, absoluteExpiresAt, refresh } = useSession();
  const now = useNow(1_000);
  const stay = useAction("stay signed in", (span) => refresh({ span }));
  const left = Math.min(idleExpiresAt ?? Infinity, absoluteExpiresAt ?? Infinity) - now;
  if (left > WARNING_MS || left <= 0) return null;
  // Activity stretches the idle timeout, never the absolute one.
  const canStay = absoluteExpiresAt === null || absoluteExpiresAt - now > WARNING_MS;
  return (
    <section aria-label="Your session" className={cx(classes.bar, classes.calm)}>
      <Icon name="clock" />
      <p>
        <span role="status">{canStay ? "You have been away a while. " : "Your session has lasted as long as it may. "}</span>
        <span className={classes.count}>We sign you out in {formatWait(left / 1_000)}.</span>
      </p>
      {canStay && (
        <Button look="quiet" size="small" pending={stay.pending} onClick={() => void stay.run()}>
          Stay signed in
        </Button>
      )}
    </section>
  );
}
