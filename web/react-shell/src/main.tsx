import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "@/app/app";
import { watchActivity } from "@/lib/activity";
import { startTracing } from "@/lib/tracing";
import "@/styles/fonts.css";
import "@/styles/tokens.css";
import "@/styles/base.css";

watchActivity();
startTracing();

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no element with the id root.");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
