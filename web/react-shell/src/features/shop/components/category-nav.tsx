import { useEffect, useRef } from "react";
import { Link } from "react-router";
import { cx } from "@/components/ui/cx";
import classes from "./category-nav.module.css";

/** The categories in a line; on a phone it scrolls. Choosing one forgets the search. */
export function CategoryNav({ categories, current }: { categories: readonly string[]; current: string | undefined }) {
  const list = useRef<HTMLUListElement>(null);
  const known = categories.length;
  useEffect(() => {
    const here = list.current?.querySelector<HTMLElement>("[aria-current]");
    if (!here || !list.current) return;
    list.current.scrollLeft = here.offsetLeft - (list.current.clientWidth - here.clientWidth) / 2;
  }, [current, known]);
  return (
    <nav aria-label="Categories" className={classes.nav}>
      <ul className={classes.list} ref={list}>
        <li>
          <Link to="/" className={cx(classes.link, current === undefined && classes.current)} aria-current={current === undefined ? "page" : undefined}>
            <span>Everything</span>
          </Link>
        </li>
        {categories.map((category) => (
          <li key={category}>
            <Link
              to={`/?${new URLSearchParams({ category }).toString()}`}
              className={cx(classes.link, current === category && classes.current)}
              aria-current={current === category ? "page" : undefined}
            >
              <span>{category}</span>
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
