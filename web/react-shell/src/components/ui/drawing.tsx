import { cx } from "./cx";
import classes from "./drawing.module.css";

export type DrawingName = "empty-cart" | "no-orders" | "nothing-found" | "lost" | "broken" | "away" | "offline" | "signed-out" | "instruments";

/**
 * A drawing from public/drawings, or of a product. It is referred to, not embedded as an image, so it takes the
 * colours of the theme: lines in the colour of the text, the second tone in the accent.
 */
export function Drawing({ name, className }: { name: DrawingName; className?: string | undefined }) {
  return <Figure href={`/drawings/${name}.svg`} className={className} />;
}

/** A product's drawing. `image` is the path that the catalogue names; without a label it is decoration. */
export function ProductPicture({ image, label, className }: { image: string; label?: string; className?: string | undefined }) {
  return <Figure href={image} className={className} {...(label && { label })} />;
}

/** What is shown when nothing can be fetched must have been fetched before. Takes no room. */
export function DrawingsInReserve() {
  return (
    <svg className={classes.reserve} viewBox="0 0 240 240" aria-hidden="true">
      <use href="/drawings/offline.svg#p" />
      <use href="/drawings/broken.svg#p" />
      <use href="/drawings/away.svg#p" />
    </svg>
  );
}

function Figure({ href, label, className }: { href: string; label?: string; className?: string | undefined }) {
  return (
    <svg className={cx(classes.drawing, className)} viewBox="0 0 240 240" role={label ? "img" : undefined} aria-label={label} aria-hidden={!label}>
      <use href={`${href}#p`} />
    </svg>
  );
}
