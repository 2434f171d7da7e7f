import { CSPProvider } from "@base-ui/react/csp-provider";
import { Menu as Base } from "@base-ui/react/menu";
import type { ReactNode, RefObject } from "react";
import { Link } from "react-router";
import { cx } from "./cx";
import { Icon } from "./icon";
import classes from "./menu.module.css";
import type { MenuItem } from "./menu";

interface MenuPopupProps {
  anchor: RefObject<HTMLButtonElement | null>;
  open: boolean;
  onOpenChange: (open: boolean) => void;
  items: readonly MenuItem[];
  header?: ReactNode;
  label: string;
}

/** The lazy part of `Menu`. */
export default function MenuPopup({ anchor, open, onOpenChange, items, header, label }: MenuPopupProps) {
  return (
    <CSPProvider disableStyleElements>
      <Base.Root
        open={open}
        modal={false}
        onOpenChange={(next, details) => {
          // A press on the button is the button's to handle; closing here too would open the menu again.
          const target = details.event.target;
          if (!next && target instanceof Node && anchor.current?.contains(target) && details.reason === "outside-press") return;
          onOpenChange(next);
        }}
      >
        <Base.Portal>
          <Base.Positioner className={classes.positioner} anchor={anchor} sideOffset={8} align="end" collisionPadding={8}>
            <Base.Popup className={classes.popup} aria-label={label} finalFocus={anchor}>
              {header ? <div className={classes.header}>{header}</div> : null}
              {items.map((item) => (
                <Entry key={item.label} item={item} />
              ))}
            </Base.Popup>
          </Base.Positioner>
        </Base.Portal>
      </Base.Root>
    </CSPProvider>
  );
}

function Entry({ item }: { item: MenuItem }) {
  const className = cx(classes.item, item.tone === "danger" && classes.danger, item.divided && classes.divided);
  const words = (
    <>
      {item.icon ? <Icon name={item.icon} /> : null}
      {item.label}
    </>
  );
  if (item.to !== undefined) {
    return (
      <Base.LinkItem className={className} closeOnClick render={<Link to={item.to} />}>
        {words}
      </Base.LinkItem>
    );
  }
  return (
    <Base.Item className={className} {...(item.onSelect && { onClick: item.onSelect })}>
      {words}
    </Base.Item>
  );
}
