import { lazy, Suspense, useRef, useState, type ReactNode } from "react";
import { cx } from "./cx";
import classes from "./menu.module.css";
import type { IconName } from "./icon";

export interface MenuItem {
  label: string;
  icon?: IconName;
  /** Where it goes; or */
  to?: string;
  /** what it does. */
  onSelect?: () => void;
  tone?: "plain" | "danger";
  /** A line above it. */
  divided?: boolean;
}

export interface MenuProps {
  /** The button's accessible name. */
  label: string;
  /** What the button shows. */
  children: ReactNode;
  items: readonly MenuItem[];
  /** Above the items: whose menu it is. */
  header?: ReactNode;
  className?: string | undefined;
}

const loadPopup = () => import("./menu-popup");
const MenuPopup = lazy(loadPopup);

/** A button that opens a menu. The button is ours and always there; what it opens is loaded when it is wanted. */
export function Menu({ label, children, items, header, className }: MenuProps) {
  const button = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const [wanted, setWanted] = useState(false);
  const preload = () => void loadPopup();
  return (
    <>
      <button
        ref={button}
        type="button"
        className={cx(classes.trigger, className)}
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={open}
        onPointerEnter={preload}
        onFocus={preload}
        onClick={() => {
          setWanted(true);
          setOpen(!open);
        }}
        onKeyDown={(event) => {
          if (event.key !== "ArrowDown" || open) return;
          event.preventDefault();
          setWanted(true);
          setOpen(true);
        }}
      >
        {children}
      </button>
      {wanted && (
        <Suspense fallback={null}>
          <MenuPopup anchor={button} open={open} onOpenChange={setOpen} items={items} header={header} label={label} />
        </Suspense>
      )}
    </>
  );
}
