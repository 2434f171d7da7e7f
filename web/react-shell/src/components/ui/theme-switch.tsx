import { useState } from "react";
import { Button } from "./button";
import { Icon } from "./icon";

type Theme = "light" | "dark";

function shownTheme(): Theme {
  return document.documentElement.dataset.theme === "dark" ? "dark" : "light";
}

function systemTheme(): Theme {
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** Shows a theme and remembers it; choosing what the system has follows the system again. */
function chooseTheme(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
  try {
    if (theme === systemTheme()) localStorage.removeItem("theme");
    else localStorage.setItem("theme", theme);
  } catch {
    // Storage may be forbidden: the choice then lasts as long as the page.
  }
}

/** Turns the theme over. Before the first paint public/theme.js has set it. */
export function ThemeSwitch() {
  const [theme, setTheme] = useState(shownTheme);
  const next = theme === "dark" ? "light" : "dark";
  return (
    <Button
      look="quiet"
      square
      aria-label={`Use the ${next} theme`}
      title={`Use the ${next} theme`}
      onClick={() => {
        chooseTheme(next);
        setTheme(next);
      }}
    >
      <Icon name={theme === "dark" ? "sun" : "moon"} />
    </Button>
  );
}
