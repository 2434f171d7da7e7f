import { Button } from "@/components/ui/button";
import { Drawing } from "@/components/ui/drawing";
import { PageHeader } from "@/components/ui/page-header";
import { formatWait } from "@/lib/countdown";
import classes from "./ended-page.module.css";
import { useSession } from "./session-context";

/** Stands in the place of a page that needs to know who is asking, while nobody can say. */
export function StoreAwayPage() {
  const { away, retryIn, refresh } = useSession();
  return (
    <div className={classes.page}>
      <Drawing name={away === "connection" ? "offline" : "away"} className={classes.drawing} />
      <PageHeader title={away === "connection" ? "You are offline" : "We cannot check your session right now"} className={classes.header} />
      <div className={classes.words}>
        <p>
          Nothing is lost, and you are not signed out. This page goes on by itself
          {retryIn === null ? "." : `; next try in ${formatWait(retryIn)}.`}
        </p>
      </div>
      <Button onClick={() => void refresh()}>Try now</Button>
    </div>
  );
}
