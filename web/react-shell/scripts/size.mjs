// Fails the build when the JavaScript that the first page needs is more than the budget, compressed.
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

const BUDGET_KB = 120;
const dist = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(await readFile(new URL(".vite/manifest.json", dist), "utf8"));

/** Every file of an entry and of what it imports statically. Dynamic imports load later and do not count. */
function filesOf(key, seen = new Set()) {
  const chunk = manifest[key];
  if (chunk === undefined || seen.has(chunk.file)) return seen;
  seen.add(chunk.file);
  for (const imported of chunk.imports ?? []) filesOf(imported, seen);
  return seen;
}

const entries = Object.keys(manifest).filter((key) => manifest[key].isEntry);
const files = new Set(entries.flatMap((key) => [...filesOf(key)]));
if (files.size === 0) throw new Error("The manifest names no entry: is build.manifest on?");
files.add("theme.js");

let total = 0;
for (const file of [...files].sort()) {
  if (!file.endsWith(".js")) continue;
  const size = gzipSync(await readFile(new URL(file, dist))).length / 1000;
  total += size;
  console.log(`${size.toFixed(1).padStart(7)} kB  ${file}`);
}
console.log(`${total.toFixed(1).padStart(7)} kB  initial JavaScript, gzip; the budget is ${BUDGET_KB} kB`);
if (total > BUDGET_KB) {
  console.error("Too much. Load what the first page does not need with React.lazy or import().");
  process.exit(1);
}
