import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// The services behind `npm run dev`; EDGE is a running platform's edge, such as the one `make up` starts.
const edge = process.env.EDGE ?? "http://127.0.0.1:8400";
const port = Number(process.env.PORT ?? 7100);

export default defineConfig({
  plugins: [react()],
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
    maxWorkers: 1,
  },
});
