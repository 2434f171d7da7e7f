import { expect, test } from "vitest";
import { pathTo, returnPath, signInPath } from "./return-path";

test("signing in leads back to the page, its search included", () => {
  const path = signInPath({ pathname: "/orders", search: "?page=2" });
  expect(returnPath(new URL(path, location.origin).search)).toBe("/orders?page=2");
});

test("the shop needs no return in the address", () => {
  expect(pathTo("/sign-in", "/")).toBe("/sign-in");
});

test.each([
  ["", "/"],
  ["?next=//evil.example", "/"],
  ["?next=/%5Cevil.example", "/"],
  ["?next=https://evil.example/", "/"],
  ["?next=javascript:alert(1)", "/"],
  ["?next=/%0A/evil.example", "/"],
  ["?next=/sign-in%3Fnext%3D/account", "/"],
  ["?next=/ended", "/"],
  ["?next=/products/moon-map%23stock", "/products/moon-map#stock"],
])("%j returns to %j", (search, path) => {
  expect(returnPath(search)).toBe(path);
});
