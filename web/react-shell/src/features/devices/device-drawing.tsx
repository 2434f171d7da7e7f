import type { DeviceKind } from "./device";
import classes from "./device-drawing.module.css";

/** Drawn on a 64 grid in one stroke; the screen is the second tone. */
const PARTS: Record<DeviceKind, { readonly screen: string; readonly lines: string }> = {
  laptop: {
    screen: "M15 16h34v23H15z",
    lines: "M13 12.5h38a2 2 0 0 1 2 2V43H11V14.500a2 2 0 0 1 2-2ZM6 43h52l-2.400 6.200a3 3 0 0 1-2.800 1.800H11.200a3 3 0 0 1-2.800-1.800ZM27 46.500h10",
  },
  phone: {
    screen: "M23 14h18v32H23z",
    lines: "M23 7h18a4 4 0 0 1 4 4v42a4 4 0 0 1-4 4H23a4 4 0 0 1-4-4V11a4 4 0 0 1 4-4ZM29.500 51.500h5M30 10.500h4",
  },
  tablet: {
    screen: "M16 13h32v34H16z",
    lines: "M15 8h34a4 4 0 0 1 4 4v40a4 4 0 0 1-4 4H15a4 4 0 0 1-4-4V12a4 4 0 0 1 4-4ZM29.500 51.500h5",
  },
  terminal: {
    screen: "M11 20h42v30H11z",
    lines: "M11 11h42a3 3 0 0 1 3 3v36a3 3 0 0 1-3 3H11a3 3 0 0 1-3-3V14a3 3 0 0 1 3-3ZM8 20h48M13 15.500h.1M18 15.500h.1M17 28l7 6-7 6M29 41h12",
  },
  unknown: {
    screen: "M20 18h24v24H20z",
    lines: "M14 12h36v36H14zM26 26a6 6 0 1 1 8.500 5.400c-1.700.8-2.500 1.800-2.500 3.600M32 40.500v.1M14 54h36",
  },
};

/** A picture of a kind of device; decoration, its name stands beside it. */
export function DeviceDrawing({ kind }: { kind: DeviceKind }) {
  const { screen, lines } = PARTS[kind];
  return (
    <svg className={classes.drawing} viewBox="0 0 64 64" aria-hidden="true">
      <path className={classes.screen} d={screen} />
      <path d={lines} />
    </svg>
  );
}
