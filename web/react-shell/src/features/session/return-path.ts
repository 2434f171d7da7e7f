/** Where to go on after signing in: kept in the address, so that a reload or a link in a new tab keeps it too. */
const PARAMETER = "next";

interface Place {
  readonly pathname: string;
  readonly search: string;
}

/** The sign-in page's address that comes back to `place`. */
export function signInPath(place: Place): string {
  return pathTo("/sign-in", place.pathname + place.search);
}

/** Another page of the same way in, with the same return. */
export function pathTo(page: string, next: string): string {
  return next === "/" ? page : `${page}?${new URLSearchParams({ [PARAMETER]: next }).toString()}`;
}

/**
 * The page to return to; the shop when there is none.
 *
 * A path of this origin only: "//host" and "/\host" would leave it (OWASP, unvalidated redirects). The pages of the way
 * in are no place to return to.
 */
export function returnPath(search: string): string {
  const next = new URLSearchParams(search).get(PARAMETER) ?? "/";
  if (!next.startsWith("/")) return "/";
  const url = new URL(next, location.origin);
  if (url.origin !== location.origin || next.startsWith("//") || next.includes("\\")) return "/";
  if (["/sign-in", "/sign-up", "/ended"].includes(url.pathname)) return "/";
  return url.pathname + url.search + url.hash;
}
