import { useLocation } from "react-router";
import { LinkButton } from "@/components/ui/button";
import { cx } from "@/components/ui/cx";
import { Menu } from "@/components/ui/menu";
import { Skeleton } from "@/components/ui/skeleton";
import { useToast } from "@/components/ui/toast";
import { useAction } from "@/lib/actions";
import { formatWait, useNow } from "@/lib/countdown";
import { pathTo, returnPath } from "./return-path";
import { type Session, useSession } from "./session-context";
import classes from "./session-pill.module.css";

/** Below this the ring changes colour, in milliseconds. */
const SOON_MS = 5 * 60_000;

/** Who is signed in, in the header: a letter, and a ring that empties as the idle timeout nears. Opens the account menu. */
export function SessionPill() {
  const session = useSession();
  const { pathname, search } = useLocation();
  if (session.account !== null) return <AccountMenu session={session} username={session.account.username} />;
  if (session.status === "loading") return <span className={classes.waiting}><Skeleton shape="circle" /></span>;
  const next = returnPath(`?${new URLSearchParams({ next: pathname + search }).toString()}`);
  return <LinkButton to={pathTo("/sign-in", next)}>Sign in</LinkButton>;
}

function AccountMenu({ session, username }: { session: Session; username: string }) {
  const toast = useToast();
  const signOut = useAction("sign out", async (span) => {
    try {
      await session.signOut({ span });
      toast.show({ title: "You are signed out", tone: "success" });
    } catch (error) {
      toast.show({ title: "You are still signed in", description: "We could not sign you out. Try again in a moment.", tone: "danger" });
      throw error;
    }
  });
  const left = useTimeLeft(session);
  return (
    <Menu
      label={`Account of ${username}`}
      className={classes.pill}
      header={
        <>
          <strong className={classes.name}>{username}</strong>
          {left !== null && <span>Signed out after {formatWait(left / 1_000)} without use</span>}
        </>
      }
      items={[
        { label: "Account", icon: "person", to: "/account" },
        { label: "Where you are signed in", icon: "laptop", to: "/devices" },
        { label: "Orders", icon: "receipt", to: "/orders" },
        {
          label: "Sign out",
          icon: "signOut",
          divided: true,
          onSelect: () => void signOut.run(),
        },
      ]}
    >
      <span className={classes.letter} aria-hidden="true">
        {username.charAt(0).toUpperCase()}
      </span>
      <Ring full={left === null || session.idleTimeout === null ? 1 : left / session.idleTimeout} soon={left !== null && left < SOON_MS} />
    </Menu>
  );
}

function useTimeLeft({ idleExpiresAt, absoluteExpiresAt }: Session): number | null {
  const now = useNow(10_000);
  if (idleExpiresAt === null) return null;
  return Math.max(0, Math.min(idleExpiresAt, absoluteExpiresAt ?? Infinity) - now);
}

/** `full` is the part of the idle timeout that is left, 0 to 1. */
function Ring({ full, soon }: { full: number; soon: boolean }) {
  const part = Math.round(Math.min(1, Math.max(0, full)) * 100);
  return (
    <svg className={cx(classes.ring, soon && classes.soon)} viewBox="0 0 40 40" aria-hidden="true">
      <circle className={classes.track} cx="20" cy="20" r="18.5" />
      <circle className={classes.rest} cx="20" cy="20" r="18.5" pathLength="100" strokeDasharray={`${part} 100`} />
    </svg>
  );
}
