import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

// The services behind `npm run dev`; EDGE is a running platform's edge, such as the one `make up` starts.
const edge = process.env.EDGE ?? "http://127.0.0.1:8400";
const port = Number(process.env.PORT ?? 7100);

/** Writes the drawings that are needed when nothing can be fetched into the page itself. */
function drawingsInPage(names: readonly string[]): Plugin {
  const drawing = (name: string) => {
    const file = readFileSync(new URL(`./public/drawings/${name}.svg`, import.meta.url), "utf8");
    return file.slice(file.indexOf("<g"), file.lastIndexOf("</svg>")).replace('id="p"', `id="drawing-${name}"`);
  };
  const sprite = `<svg width="0" height="0" aria-hidden="true"><defs>${names.map(drawing).join("")}</defs></svg>`;
  return {
    name: "drawings-in-page",
    transformIndexHtml: (html) => html.replace("<!-- drawings -->", sprite.replaceAll(/\s*\n\s*/g, "")),
  };
}

export default defineConfig({
  plugins: [react(), drawingsInPage(["away", "broken", "offline"])],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: {
    host: "127.0.0.1",
    port,
    strictPort: true,
    proxy: { "/api": edge, "/telemetry": edge },
  },
  build: {
    // The policy of the edge allows no data: scripts or fonts, so nothing is inlined.
    assetsInlineLimit: 0,
    manifest: true,
    target: "es2023",
    modulePreload: { polyfill: false },
  },
  test: {
    environment: "jsdom",
    environmentOptions: { jsdom: { url: "http://shell.test/" } },
    setupFiles: ["src/test/setup.ts"],
    include: ["src/**/*.test.{ts,tsx}"],
    css: { modules: { classNameStrategy: "non-scoped" } },
    restoreMocks: true,
    testTimeout: 60_000, // a machine that is busy with other suites is no fault
    maxWorkers: 1,
  },
});
