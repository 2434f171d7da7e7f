import classes from "./spinner.module.css";

/** A small turning ring. Without a label it is decoration: what it stands beside must say that work is under way. */
export function Spinner({ label }: { label?: string }) {
  return (
    <svg className={classes.spinner} viewBox="0 0 20 20" role={label ? "img" : undefined} aria-label={label} aria-hidden={!label}>
      <circle className={classes.track} cx="10" cy="10" r="8" />
      <circle className={classes.arc} cx="10" cy="10" r="8" pathLength="100" strokeDasharray="28 72" />
    </svg>
  );
}
