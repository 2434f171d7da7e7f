import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
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
  const session = useSession();
  const queries = useQueryClient();
  const toast = useToast();
  const heading = useRef<HTMLHeadingElement>(null);
  const [ending, setEnding] = useState<Ending | null>(null);
  const action = useAction("end sessions", async (span, wanted: Ending) => {
    const here = wanted.what === "one" && wanted.row.session.current;
    if (here || wanted.what === "all") {
      await session.signOut({ everywhere: !here, span });
      return;
    }
    await (wanted.what === "one" ? endSession(wanted.row.session.id, span) : endOtherSessions(span));
    setEnding(null);
    toast.show({ title: wanted.what === "one" ? `${wanted.row.device.name} is signed out` : "Every other device is signed out", tone: "success" });
    await queries.invalidateQueries({ queryKey: KEY });
    // The button that was pressed is gone with its row.
    heading.current?.focus();
  });
  const others = sessions.filter((each) => !each.current).length;
  const ask = (next: Ending): void => {
    action.reset();
    setEnding(next);
  };
  return (
    <>
      <Card as="section" flush aria-labelledby="devices-heading">
        <div className={classes.head}>
          <h2 id="devices-heading" ref={heading} tabIndex={-1}>
            {sessions.length === 1 ? "1 device" : `${sessions.length} devices`}
          </h2>
          {others > 0 && (
            <Button size="small" onClick={() => ask({ what: "others" })}>
              Sign out everywhere else
            </Button>
          )}
        </div>
        <ul className={classes.rows}>
          {[...sessions.filter((each) => each.current), ...sessions.filter((each) => !each.current)].map((each) => (
            <SessionRow key={each.id} session={each} onEnd={(row) => ask({ what: "one", row })} />
          ))}
        </ul>
        {others === 0 && <p className={classes.alone}>You are signed in nowhere else.</p>}
      </Card>
      <div className={classes.last}>
        <p>A device is lost, or you are not sure? Sign out on all of them, this one too, then change your password.</p>
        <Button look="danger" onClick={() => ask({ what: "all" })}>
          Sign out everywhere
        </Button>
      </div>
      <EndDialog
        ending={ending}
        pending={action.pending}
        problem={action.error}
        onKeep={() => setEnding(null)}
        onEnd={(wanted) => void action.run(wanted)}
      />
    </>
  );
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
