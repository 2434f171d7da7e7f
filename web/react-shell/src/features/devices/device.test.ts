import { expect, test } from "vitest";
import { deviceOf } from "./device";

const APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko)";
const CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0";

test.each([
  [`Mozilla/5.0 (X11; Linux x86_64) ${CHROME} Safari/537.36`, "laptop", "Chrome on Linux"],
  [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${CHROME} Safari/537.36 Edg/156.0.0.0`, "laptop", "Edge on Windows"],
  [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${CHROME} Safari/537.36 OPR/120.0.0.0`, "laptop", "Opera on Windows"],
  ["Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "laptop", "Firefox on Linux"],
  [`Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${APPLE} Version/26.0 Safari/605.1.15`, "laptop", "Safari on macOS"],
  [`Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) ${APPLE} Version/26.0 Mobile/15E148 Safari/604.1`, "phone", "Safari on iPhone"],
  [`Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) ${APPLE} CriOS/156.0 Mobile/15E148 Safari/604.1`, "phone", "Chrome on iPhone"],
  [`Mozilla/5.0 (iPad; CPU OS 16_0 like Mac OS X) ${APPLE} Version/16.0 Mobile/15E148 Safari/604.1`, "tablet", "Safari on iPad"],
  [`Mozilla/5.0 (Linux; Android 10; K) ${CHROME} Mobile Safari/537.36`, "phone", "Chrome on Android"],
  [`Mozilla/5.0 (Linux; Android 14; SM-X710) ${CHROME} SamsungBrowser/28.0 Safari/537.36`, "tablet", "Samsung Internet on Android"],
  ["Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0", "phone", "Firefox on Android"],
  [`Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${CHROME} Safari/537.36`, "laptop", "Chrome on ChromeOS"],
  ["Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36", "laptop", "Headless Chrome on Linux"],
  ["Mozilla/5.0 (compatible; Haiku x86_64)", "unknown", "Unknown device"],
  ["SomethingNew/1.0 (Linux)", "laptop", "Browser on Linux"],
  ["curl/8.5.0", "terminal", "curl"],
  ["python-httpx/0.28.1", "terminal", "Python program"],
  ["constructor", "unknown", "Unknown device"],
  ["", "unknown", "Unknown device"],
])("%s is a %s: %s", (userAgent, kind, name) => {
  expect(deviceOf(userAgent)).toEqual({ kind, name });
});
