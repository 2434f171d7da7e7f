import { useEffect, useRef, useState } from "react";
import { useLocation, useNavigate, useSearchParams } from "react-router";
import { Icon } from "@/components/ui/icon";
import classes from "./search-box.module.css";

const WAIT_MS = 220;
const LONGEST = 100;

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName));
}

/** Searches the catalogue as one types; `/` brings the focus here from anywhere, Escape empties it. */
export function SearchBox() {
  const [params] = useSearchParams();
  const location = useLocation();
  const navigate = useNavigate();
  const input = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const asked = location.pathname === "/" ? (params.get("query") ?? "") : "";
  const [text, setText] = useState(asked);
  const [seen, setSeen] = useState(asked);
  // A navigation that was not typed here (a category, Back) changes what the box says.
  if (seen !== asked) {
    setSeen(asked);
    if (asked !== text.trim()) setText(asked);
  }

  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      event.preventDefault();
      input.current?.focus();
      input.current?.select();
    };
    document.addEventListener("keydown", focus);
    return () => {
      document.removeEventListener("keydown", focus);
      clearTimeout(timer.current);
    };
  }, []);

  const search = (query: string) => {
    clearTimeout(timer.current);
    const words = query.trim();
    if (words === asked && location.pathname === "/") return;
    // While one types, the last search is replaced: Back leads to where one was before.
    void navigate(words === "" ? "/" : `/?${new URLSearchParams({ query: words }).toString()}`, {
      replace: location.pathname === "/" && asked !== "",
      preventScrollReset: true,
    });
  };
  const change = (next: string) => {
    setText(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => search(next), WAIT_MS);
  };

  return (
    <form
      role="search"
      className={classes.search}
      onSubmit={(event) => {
        event.preventDefault();
        search(text);
      }}
    >
      <Icon name="search" className={classes.icon} />
      <input
        ref={input}
        type="search"
        aria-label="Search the catalogue"
        aria-keyshortcuts="/"
        placeholder="Search the catalogue"
        autoComplete="off"
        maxLength={LONGEST}
        className={classes.input}
        value={text}
        onChange={(event) => change(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape" && text !== "") {
            event.preventDefault();
            setText("");
            search("");
          }
        }}
      />
      <kbd className={classes.key} aria-hidden="true">
        /
      </kbd>
    </form>
  );
}
