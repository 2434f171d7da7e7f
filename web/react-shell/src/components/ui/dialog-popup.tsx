import { CSPProvider } from "@base-ui/react/csp-provider";
import { Dialog as Base } from "@base-ui/react/dialog";
import classes from "./dialog.module.css";
import type { DialogProps } from "./dialog";

/** The lazy part of `Dialog`. */
export default function DialogPopup({ open, onOpenChange, title, description, children, actions }: DialogProps) {
  return (
    <CSPProvider disableStyleElements>
      <Base.Root open={open} onOpenChange={(next) => onOpenChange(next)}>
        <Base.Portal>
          <Base.Backdrop className={classes.veil} />
          <Base.Popup className={classes.popup}>
            <Base.Title className={classes.title}>{title}</Base.Title>
            {description ? <Base.Description className={classes.description}>{description}</Base.Description> : null}
            {children}
            {actions ? <div className={classes.actions}>{actions}</div> : null}
          </Base.Popup>
        </Base.Portal>
      </Base.Root>
    </CSPProvider>
  );
}
