import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { cx } from "@/components/ui/cx";
import { RelativeTime } from "@/components/ui/relative-time";
import type { SessionRow as Session } from "./api/sessions";
import { type Device, deviceOf } from "./device";
import { DeviceDrawing } from "./device-drawing";
import classes from "./devices-page.module.css";

export interface EndedRow {
  readonly session: Session;
  readonly device: Device;
}

/** One session of the account: where it is, since when, and the button that ends it. */
export function SessionRow({ session, onEnd }: { session: Session; onEnd: (row: EndedRow) => void }) {
  const device = deviceOf(session.user_agent);
  return (
    <li className={cx(classes.row, session.current && classes.current)}>
      <DeviceDrawing kind={device.kind} />
      <div className={classes.about}>
        <h3 className={classes.name}>
          {device.name}
          {session.current && <Badge tone="accent">This device</Badge>}
        </h3>
        <p className={classes.facts}>
          <span>{session.current ? "Here now" : <>Last seen <RelativeTime at={session.last_seen_at} /></>}</span>
          <span>
            Signed in <RelativeTime at={session.created_at} />
          </span>
          {session.address !== "" && <span>Address {session.address}</span>}
        </p>
      </div>
      <Button
        className={classes.end}
        aria-label={session.current ? "Sign out this device" : `Sign out ${device.name}, address ${session.address}`}
        onClick={() => onEnd({ session, device })}
      >
        Sign out
      </Button>
    </li>
  );
}
