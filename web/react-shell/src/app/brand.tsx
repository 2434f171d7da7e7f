import classes from "./brand.module.css";

/** The name, and its mark: a dial whose hand stands at ten past. */
export function Brand() {
  return (
    <span className={classes.brand}>
      <svg className={classes.mark} viewBox="0 0 28 28" aria-hidden="true">
        <circle cx="14" cy="14" r="12" />
        <path d="M14 2.5v3M14 22.5v3M2.5 14h3M22.5 14h3" />
        <path className={classes.hand} d="M14 14 20.2 7.8" />
        <circle className={classes.hub} cx="14" cy="14" r="1.8" />
      </svg>
      Almanac
    </span>
  );
}
