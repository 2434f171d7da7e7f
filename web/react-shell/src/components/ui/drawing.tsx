import { cx } from "./cx";
import classes from "./drawing.module.css";

export type DrawingName = "empty-cart" | "no-orders" | "nothing-found" | "lost" | "broken" | "away" | "offline" | "signed-out" | "instruments";

/** Those of the states in which nothing can be fetched. vite.config.ts writes them into index.html. */
const inPage: ReadonlySet<DrawingName> = new Set<DrawingName>(["away", "broken", "offline"]);

/**
 * A drawing from public/drawings, or of a product. It is referred to, not embedded as an image, so it takes the
 * colours of the theme: lines in the colour of the text, the second tone in the accent.
 */
export function Drawing({ name, className }: { name: DrawingName; className?: string | undefined }) {
  return <Figure href={inPage.has(name) ? `#drawing-${name}` : `/drawings/${name}.svg#p`} className={className} />;
}

/** A product's drawing. `image` is the path that the catalogue names; without a label it is decoration. */
export function ProductPicture({ image, label, className }: { image: string; label?: string; className?: string | undefined }) {
  return <Figure href={`${image}#p`} className={className} {...(label && { label })} />;
}

function Figure({ href, label, className }: { href: string; label?: string; className?: string | undefined }) {
  return (
    <svg className={cx(classes.drawing, className)} viewBox="0 0 240 240" role={label ? "img" : undefined} aria-label={label} aria-hidden={!label}>
      <use href={href} />
    </svg>
  );
}
