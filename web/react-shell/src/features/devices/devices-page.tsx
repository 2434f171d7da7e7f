import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type RefObject, useRef, useState } from "react";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { PageHeader } from "@/components/ui/page-header";
import { ProblemNotice } from "@/components/ui/problem-notice";
import { Loading, Skeleton } from "@/components/ui/skeleton";
import { useToast } from "@/components/ui/toast";
import { useSession } from "@/features/session/session-context";
import { useAction } from "@/lib/actions";
import { endOtherSessions, endSession, listSessions, type SessionRow as Session } from "./api/sessions";
import classes from "./devices-page.module.css";
import { EndDialog, type Ending } from "./end-dialog";
import { SessionRow } from "./session-row";

const KEY = ["devices"];

/** Where the account is signed in, and the ways to end that. */
export function DevicesPage() {
  const sessions = useQuery({ queryKey: KEY, queryFn: ({ signal }) => listSessions({ signal }), refetchInterval: 30_000 });
  return (
    <div className={classes.page}>
      <PageHeader title="Where you are signed in">
        Each device or browser that is signed in as you. Sign out what you do not know: it is out at its next request.
      </PageHeader>
      {sessions.data !== undefined ? (
        <SessionList sessions={sessions.data} />
      ) : sessions.error !== null ? (
        <ProblemNotice error={sessions.error} onRetry={() => void sessions.refetch()} place="page" />
      ) : (
        <ListSkeleton />
      )}
    </div>
  );
}

function SessionList({ sessions }: { sessions: readonly Session[] }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const { ending, action, ask, keep } = useEnding(heading);
  const here = sessions.filter((each) => each.current);
  const others = sessions.filter((each) => !each.current);
  return (
    <>
      <Card as="section" flush aria-labelledby="devices-heading">
        <div className={classes.head}>
          <h2 id="devices-heading" ref={heading} tabIndex={-1}>
            {sessions.length === 1 ? "1 device" : `${sessions.length} devices`}
          </h2>
          {others.length > 0 && (
            <Button size="small" onClick={() => ask({ what: "others" })}>
              Sign out everywhere else
            </Button>
          )}
        </div>
        <ul className={classes.rows}>
          {[...here, ...others].map((each) => (
            <SessionRow key={each.id} session={each} onEnd={(row) => ask({ what: "one", row })} />
          ))}
        </ul>
        {others.length === 0 && <p className={classes.alone}>You are signed in nowhere else.</p>}
      </Card>
      <div className={classes.last}>
        <p>A device is lost, or you are not sure? Sign out on all of them, this one too, then change your password.</p>
        <Button look="danger" onClick={() => ask({ what: "all" })}>
          Sign out everywhere
        </Button>
      </div>
      <EndDialog ending={ending} pending={action.pending} problem={action.error} onKeep={keep} onEnd={(wanted) => void action.run(wanted)} />
    </>
  );
}

/** What is about to end, and the action that ends it. Afterwards `heading` has focus: the button went with its row. */
function useEnding(heading: RefObject<HTMLHeadingElement | null>) {
  const session = useSession();
  const queries = useQueryClient();
  const toast = useToast();
  const [ending, setEnding] = useState<Ending | null>(null);
  const action = useAction("end sessions", async (span, wanted: Ending) => {
    const here = wanted.what === "one" && wanted.row.session.current;
    if (here || wanted.what === "all") {
      await session.signOut({ everywhere: !here, span });
      return;
    }
    await (wanted.what === "one" ? endSession(wanted.row.session.id, span) : endOtherSessions(span));
    setEnding(null);
    const who = wanted.what === "one" ? wanted.row.device.name : "Every other device";
    toast.show({ title: `${who} is signed out`, tone: "success" });
    await queries.invalidateQueries({ queryKey: KEY });
    heading.current?.focus();
  });
  const ask = (next: Ending): void => {
    action.reset();
    setEnding(next);
  };
  return { ending, action, ask, keep: () => setEnding(null) };
}

function ListSkeleton() {
  return (
    <Loading label="Loading your devices">
      <Card flush>
        <div className={classes.head}>
          <Skeleton shape="title" width="quarter" />
        </div>
        {[1, 2, 3].map((row) => (
          <div key={row} className={classes.row}>
            <Skeleton shape="circle" />
            <div className={classes.about}>
              <Skeleton width="third" />
              <Skeleton width="half" />
            </div>
          </div>
        ))}
      </Card>
    </Loading>
  );
}
