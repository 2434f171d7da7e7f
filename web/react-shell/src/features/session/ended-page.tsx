import { useEffect } from "react";
import { Link, Navigate, useLocation } from "react-router";
import { LinkButton } from "@/components/ui/button";
import { Drawing } from "@/components/ui/drawing";
import { PageHeader } from "@/components/ui/page-header";
import type { EndReason } from "@/lib/problem";
import classes from "./ended-page.module.css";
import { pathTo, returnPath } from "./return-path";
import { useSession } from "./session-context";

interface Words {
  readonly title: string;
  readonly what: string;
  /** What to do when it was not oneself. */
  readonly doubt?: string;
  /** Where signing in again leads, when not back. */
  readonly next?: string;
}

const EXPIRED = "Your session expired";

const WORDS: Record<Exclude<EndReason, "rotated-away">, Words> = {
  logout: { title: "You are signed out", what: "You signed out in this browser." },
  idle: { title: EXPIRED, what: "Nothing happened for a while, so we signed you out: somebody else could have been at your desk." },
  absolute: { title: EXPIRED, what: "A session lasts so long and no longer, even a busy one. After that we ask who you are again." },
  revoked: {
    title: "You were signed out elsewhere",
    what: "This session was ended from another device of yours, or by a change of your password.",
    doubt: "Was that not you? Sign in, change your password, and look at where you are signed in.",
  },
  replaced: {
    title: "A newer sign-in took this one's place",
    what: "An account can be signed in on a limited number of devices. This one had been quiet the longest.",
  },
  theft: {
    title: "We ended this session to protect you",
    what: "An outdated copy of it was used. A browser restored from a backup can do that; so can somebody who copied it.",
    doubt: "Sign in, change your password, and look at where you are signed in.",
    next: "/account",
  },
};

const GONE: Words = {
  title: "Your session is no longer there",
  what: "We could not find it again. You did nothing wrong.",
};

/** When a session has ended: why, in honest words, and one way on. Stands in the place of the page that needed it. */
export function EndedPage() {
  const { status, endReason, acknowledgeEnd } = useSession();
  const location = useLocation();
  useEffect(acknowledgeEnd, [acknowledgeEnd]);

  if (status === "signed-in") return <Navigate to={returnPath(location.search)} replace />;

  const words = endReason === null || endReason === "rotated-away" ? GONE : WORDS[endReason];
  const next = words.next ?? returnPath(`?${new URLSearchParams({ next: location.pathname + location.search }).toString()}`);
  return (
    <div className={classes.page}>
      <Drawing name="signed-out" className={classes.drawing} />
      <PageHeader title={words.title} className={classes.header} />
      <div className={classes.words}>
        <p>{words.what}</p>
        {words.doubt !== undefined && <p className={classes.doubt}>{words.doubt}</p>}
        <p>The cart went with the session. Your orders and your account are as they were.</p>
      </div>
      <LinkButton to={pathTo("/sign-in", next)} look="primary" size="large">
        Sign in again
      </LinkButton>
      <p className={classes.other}>
        or <Link to="/">look around the shop</Link>
      </p>
    </div>
  );
}
