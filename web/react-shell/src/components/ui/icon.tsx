import { cx } from "./cx";
import classes from "./icon.module.css";

/** Drawn on a 24 grid with one stroke; each is one path. */
const paths = {
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13Zm4.7 11.2L20 20",
  cart: "M3 4.5h2.3l2.2 11h10.2l2.1-8.2H6M9.3 20.2a.9.9 0 1 0 0-1.8.9.9 0 0 0 0 1.8Zm7.2 0a.9.9 0 1 0 0-1.8.9.9 0 0 0 0 1.8Z",
  person: "M12 4.2a3.7 3.7 0 1 0 0 7.4 3.7 3.7 0 0 0 0-7.4ZM4.8 20c.6-3.9 3.4-6 7.2-6s6.6 2.1 7.2 6",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8Zm0-5.5v2.2m0 14.6v2.2M2.5 12h2.2m14.6 0h2.2M5.3 5.3l1.5 1.5m10.4 10.4 1.5 1.5m0-13.4-1.5 1.5M6.8 17.2l-1.5 1.5",
  moon: "M19.5 14.3A8 8 0 0 1 9.7 4.5a8 8 0 1 0 9.8 9.8Z",
  plus: "M12 5.5v13M5.5 12h13",
  minus: "M5.5 12h13",
  close: "m6 6 12 12M18 6 6 18",
  check: "m5 12.8 4.6 4.6L19.2 7",
  chevronDown: "m6 9.5 6 6 6-6",
  chevronLeft: "m14.5 6-6 6 6 6",
  chevronRight: "m9.5 6 6 6-6 6",
  arrowRight: "M4.5 12h15m-5.5-5.5 5.5 5.5-5.5 5.5",
  warning: "M12 4 2.8 19.8h18.4L12 4Zm0 6v4.7m0 2.6v.1",
  info: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17Zm0 7.3v5.7m0-9v.1",
  offline: "M3 3l18 18M8.6 8.7A8 8 0 0 0 5 12.3m3.8 2.5a4.7 4.7 0 0 1 4.5-1.1M12 18.8v.1M2.5 8.9a13 13 0 0 1 3-2.1m4.9-1.2A12.7 12.7 0 0 1 21.5 9m-5 1.9a8 8 0 0 1 2.5 1.5",
  clock: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17Zm0 4V12l3.2 2",
  laptop: "M5.5 5.5h13v9.5h-13zM2.8 18.5h18.4l-1.7-3.5h-15z",
  phone: "M7.5 3h9v18h-9zM10.8 18.2h2.4",
  tablet: "M5 3.5h14v17H5zM10.8 17.8h2.4",
  terminal: "M3.5 5h17v14h-17zM7 9.5l3 2.7-3 2.7m5.3.3h4.5",
  key: "M8.3 11.2a4.1 4.1 0 1 0 0 8.2 4.1 4.1 0 0 0 0-8.2Zm2.9 1.2L19.8 4m-3.1 3 2.6 2.6m-5.4.200 1.7 1.7",
  mail: "M3.5 6h17v12.5h-17zM3.8 6.5 12 13l8.2-6.5",
  receipt: "M6 3.5h12v17l-2-1.5-2 1.5-2-1.5-2 1.5-2-1.5-2 1.5zM9 8.5h6m-6 4h6",
  shield: "M12 3.5 5 6v5.5c0 4.3 2.9 7.4 7 9 4.1-1.6 7-4.7 7-9V6z",
  signOut: "M10 4.5H5v15h5m3.5-11.3L18 12.3 13.5 16.5M17.6 12.3H9",
  refresh: "M19.5 12a7.5 7.5 0 1 1-2.3-5.4M19.5 3.5v4.2h-4.2",
  trash: "M4.5 6.5h15m-9.8 0V4.2h4.6v2.3m-7.6 0 .8 13.3h9l.8-13.3M10.3 10v6.5m3.4-6.5v6.5",
  box: "M4 8l8-4 8 4v8.5l-8 4-8-4zm0 0 8 4m0 0 8-4m-8 4v8.5",
} as const;

export type IconName = keyof typeof paths;

/** An icon as tall as its text. Without a label it is decoration. */
export function Icon({ name, label, className }: { name: IconName; label?: string; className?: string | undefined }) {
  return (
    <svg className={cx(classes.icon, className)} viewBox="0 0 24 24" role={label ? "img" : undefined} aria-label={label} aria-hidden={!label}>
      <path d={paths[name]} />
    </svg>
  );
}
