import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const css = readFileSync("src/styles/tokens.css", "utf8");

/** The colours of a rule, by name without the dashes. */
function coloursOf(selector: string): Map<string, string> {
  const start = css.indexOf(`${selector} {`);
  const body = css.slice(start, css.indexOf("}", start));
  return new Map([...body.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name = "", value = ""]) => [name, value]));
}

/** Relative luminance, WCAG 2.2. */
function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

const sheets = ["paper", "card", "plate"];
const text: [colour: string, grounds: string[]][] = [
  ["ink", [...sheets, "accent-tint", "warning-tint", "danger-tint", "success-tint"]],
  ["ink-quiet", [...sheets, "accent-tint", "warning-tint", "danger-tint"]],
  ["accent", [...sheets, "accent-tint"]],
  ["warning", [...sheets, "warning-tint"]],
  ["danger", [...sheets, "danger-tint"]],
  ["success", [...sheets, "success-tint"]],
  ["on-accent", ["accent"]],
];

describe.each([
  ["light", ":root"],
  ["dark", ':root[data-theme="dark"]'],
])("the %s theme", (_name, selector) => {
  const colours = coloursOf(selector);
  const pairs = text.flatMap(([colour, grounds]) => grounds.map((ground) => [colour, ground] as const));

  it.each(pairs)("can be read: %s on %s has 4.5:1", (colour, ground) => {
    expect(contrast(colours.get(colour) ?? "", colours.get(ground) ?? "")).toBeGreaterThanOrEqual(4.5);
  });

  it.each(["paper", "card"])("shows where a control is: its edge on %s has 3:1", (ground) => {
    expect(contrast(colours.get("control-edge") ?? "", colours.get(ground) ?? "")).toBeGreaterThanOrEqual(3);
  });
});

it("both themes define the same colours", () => {
  expect([...coloursOf(':root[data-theme="dark"]').keys()].sort()).toEqual([...coloursOf(":root").keys()].sort());
});

it("components use no colours of their own", async () => {
  const { globSync } = await import("node:fs");
  const sheets = globSync("src/**/*.css").filter((file) => !file.endsWith("tokens.css"));
  expect(sheets.length).toBeGreaterThan(20);
  for (const file of sheets) {
    const literals = readFileSync(file, "utf8").match(/#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|oklch)a?\(/gi);
    expect(literals, file).toBeNull();
  }
});
