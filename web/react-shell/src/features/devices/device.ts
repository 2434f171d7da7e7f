export type DeviceKind = "laptop" | "phone" | "tablet" | "terminal" | "unknown";

export interface Device {
  readonly kind: DeviceKind;
  /** "Firefox on Linux" */
  readonly name: string;
}

/** In this order: most browsers also carry the names of those they descend from. */
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/\bEdgA?\/|\bEdgiOS\//, "Edge"],
  [/\bOPR\/|\bOPT\//, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\bVivaldi\//, "Vivaldi"],
  [/\bFirefox\/|\bFxiOS\//, "Firefox"],
  [/\bHeadlessChrome\//, "Headless Chrome"],
  [/\bChrom(e|ium)\/|\bCriOS\//, "Chrome"],
  [/\bVersion\/[\d.]+.*\bSafari\//, "Safari"],
];

const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\biPhone\b|\biPod\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b|\bMacintosh\b/, "macOS"],
  [/\bLinux\b|\bX11\b/, "Linux"],
];

/** Programs that are no browser, by the first word of what they send. */
const PROGRAMS: ReadonlyMap<string, string> = new Map([
  ["curl", "curl"],
  ["Wget", "Wget"],
  ["HTTPie", "HTTPie"],
  ["python-requests", "Python program"],
  ["python-httpx", "Python program"],
  ["Python-urllib", "Python program"],
  ["Go-http-client", "Go program"],
  ["node", "Node program"],
]);

/**
 * What a user agent header says, in the words of its user. A hint and no proof: whoever sends it writes it.
 *
 * Browser and system, and nothing finer: versions help nobody to know their own device.
 */
export function deviceOf(userAgent: string): Device {
  const program = PROGRAMS.get(userAgent.split("/", 1)[0] ?? "");
  if (program !== undefined) return { kind: "terminal", name: program };
  const browser = BROWSERS.find(([pattern]) => pattern.test(userAgent))?.[1];
  const system = SYSTEMS.find(([pattern]) => pattern.test(userAgent))?.[1];
  return { kind: kindOf(userAgent, system), name: nameOf(browser, system) };
}

function nameOf(browser: string | undefined, system: string | undefined): string {
  if (browser === undefined) return system === undefined ? "Unknown device" : `Browser on ${system}`;
  return system === undefined ? browser : `${browser} on ${system}`;
}

function kindOf(userAgent: string, system: string | undefined): DeviceKind {
  if (system === "iPhone") return "phone";
  if (system === "iPad") return "tablet";
  // Android's browsers say "Mobile" on a phone and leave it out on a tablet.
  if (system === "Android") return /\bMobile\b/.test(userAgent) ? "phone" : "tablet";
  return system === undefined ? "unknown" : "laptop";
}
