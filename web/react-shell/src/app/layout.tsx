import { Suspense, useEffect, useRef } from "react";
import { NavigationType, Outlet, useLocation, useNavigationType } from "react-router";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { useSession } from "@/features/session/session-context";
import { StoreAwayBar } from "@/features/session/store-away-bar";
import { ErrorBoundary } from "./error-boundary";
import { Footer } from "./footer";
import { Header } from "./header";
import classes from "./layout.module.css";

/** Header, page, footer. */
export function Layout() {
  const { pathname } = useLocation();
  useArrival(pathname);
  return (
    <div className={classes.layout}>
      <a className={classes.skip} href="#main">
        Skip to the page
      </a>
      <StoreAwayBar />
      <Header />
      <main id="main" tabIndex={-1} className={classes.main}>
        <ErrorBoundary place={pathname}>
          <Suspense fallback={<PageSkeleton />}>
            <Outlet />
          </Suspense>
        </ErrorBoundary>
      </main>
      <Footer />
    </div>
  );
}

/** After a navigation a page begins at its top, for the eye and for a screen reader; Back returns to where one was. */
function useArrival(pathname: string): void {
  const kind = useNavigationType();
  const { refresh } = useSession();
  const before = useRef(pathname);
  useEffect(() => {
    if (before.current === pathname) return;
    before.current = pathname;
    // Whoever was signed out elsewhere learns it here, also on a page whose answers are still in the cache.
    void refresh();
    if (kind !== NavigationType.Pop) window.scrollTo(0, 0);
    const target = document.querySelector<HTMLElement>("main h1") ?? document.getElementById("main");
    target?.focus({ preventScroll: true });
  }, [pathname, kind, refresh]);
}

function PageSkeleton() {
  return (
    <Loading label="Loading the page" className={classes.skeleton}>
      <Skeleton shape="title" width="third" />
      <Skeleton width="most" />
      <Skeleton shape="block" />
    </Loading>
  );
}
