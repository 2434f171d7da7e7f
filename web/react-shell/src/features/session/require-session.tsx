import { type ReactNode, useState } from "react";
import { Navigate, Outlet, useLocation } from "react-router";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { EndedPage } from "./ended-page";
import { signInPath } from "./return-path";
import { useSession } from "./session-context";
import { StoreAwayPage } from "./store-away-page";

/**
 * Shows its children, or the nested route, to who is signed in.
 *
 * Others get the sign-in page, which brings them back here. When the session has ended, the page that says why stands
 * in this page's place; after signing out oneself one is back in the shop. The services decide, this only shows.
 */
export function RequireSession({ children }: { children?: ReactNode }) {
  const { status, account, endReason } = useSession();
  const location = useLocation();
  const signedIn = account !== null;
  const [hadSession, setHadSession] = useState(signedIn);
  if (signedIn && !hadSession) setHadSession(true);

  if (signedIn) return children ?? <Outlet />;
  if (status === "loading") return <PagePlaceholder />;
  if (status === "unavailable") return <StoreAwayPage />;
  if (hadSession && endReason === "logout") return <Navigate to="/" replace />;
  if (hadSession || (endReason !== null && endReason !== "logout")) return <EndedPage />;
  return <Navigate to={signInPath(location)} replace />;
}

function PagePlaceholder() {
  return (
    <Loading label="Checking your session">
      <Skeleton shape="title" width="third" />
      <Skeleton width="most" />
      <Skeleton shape="block" />
    </Loading>
  );
}
