import { existsSync, globSync, readFileSync } from "node:fs";
import { render } from "@testing-library/react";
import { expect, it } from "vitest";
import { Drawing, ProductPicture } from "./drawing";

const files = globSync("public/{products,drawings}/*.svg");
const seed = JSON.parse(readFileSync("../../services/flask-orders/src/orders/catalogue/seed.json", "utf8")) as { sku: string }[];

it("each product of the catalogue has a drawing", () => {
  expect(seed).toHaveLength(36);
  expect(seed.filter(({ sku }) => !existsSync(`public/products/${sku}.svg`))).toEqual([]);
});

it("a drawing takes its colours from the theme and is no danger to the policy", () => {
  expect(files.length).toBeGreaterThan(36);
  for (const file of files) {
    const svg = readFileSync(file, "utf8");
    expect(svg, file).toContain('id="p"');
    expect(svg, file).toContain('viewBox="0 0 240 240"');
    expect(svg, file).not.toMatch(/<script|<style|style=|\son\w+=|href=/);
    const drawn = svg.slice(svg.indexOf("<g"));
    expect(drawn.replaceAll(/var\(--[\w-]+, [^)]*\)/g, ""), file).not.toMatch(/#[0-9a-f]{3,6}"/i);
  }
});

it("no two drawings are the same", () => {
  expect(new Set(files.map((file) => readFileSync(file, "utf8"))).size).toBe(files.length);
});

it("every drawing that a state names is there", () => {
  const named = [...readFileSync("src/components/ui/drawing.tsx", "utf8").matchAll(/"([a-z-]+)"/g)].map(([, name]) => name);
  const names = named.filter((name) => name?.includes("-") || ["lost", "broken", "away", "offline", "instruments"].includes(name ?? ""));
  expect(names.length).toBeGreaterThanOrEqual(9);
  for (const name of names.filter((each) => !each?.startsWith("aria"))) expect(existsSync(`public/drawings/${name}.svg`), name).toBe(true);
});

it("a picture with a label is an image by that name, one without is hidden", () => {
  const { container, getByRole } = render(
    <>
      <ProductPicture image="/products/tide-clock.svg" label="Tide clock" />
      <Drawing name="lost" />
    </>,
  );
  expect(getByRole("img", { name: "Tide clock" }).querySelector("use")).toHaveAttribute("href", "/products/tide-clock.svg#p");
  expect(container.querySelector('[aria-hidden="true"] use')).toHaveAttribute("href", "/drawings/lost.svg#p");
});
