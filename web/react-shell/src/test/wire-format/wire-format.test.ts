// @vitest-environment node
/** docs/wire-format.md suffices: a decoder that was written from it reads what the library in Python writes. */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { hex, type Meaning, Unreadable } from "./message-pack";
import {
  csrfSecret,
  hashSecret,
  keysOf,
  openAttribute,
  place,
  type Place,
  pseudonym,
  readAttribute,
  readHeader,
  readToken,
  unmask,
} from "./session-record";

interface Golden {
  headers: Record<string, string>;
  tombstones: Record<string, string>;
  attributes: Record<string, string>;
  tokens: Record<string, string>;
  secret_hash: string;
  place: [number, string];
  pseudonym: string;
  csrf: { secret: string; masked: string };
}

interface Wire {
  attributes: Record<string, Meaning>;
  "more attributes": Record<string, { bytes: string; meaning: Meaning }>;
  headers: Record<string, object>;
  tombstones: Record<string, object>;
  "more tombstones": Record<string, { bytes: string; meaning: object }>;
  tokens: Record<string, object>;
  keys: (Place & Record<string, unknown>)[];
  sealed: { bytes: string; meaning: Meaning };
  later: Record<string, { header?: string; attribute?: string; meaning: unknown }>;
}

const folder = new URL("../../../../../packages/polysession/tests/golden/", import.meta.url);
const load = (name: string): unknown => JSON.parse(readFileSync(new URL(name, folder), "utf8"));
const golden = load("golden.json") as Golden;
const wire = load("wire.json") as Wire;
const bytes = (digits: string) => Uint8Array.from(Buffer.from(digits, "hex"));
const key = (letter: string) => Buffer.from(letter.repeat(32));

test.each(Object.keys(golden.attributes))("an attribute means what was written: %s", (name) => {
  expect(readAttribute(bytes(golden.attributes[name] ?? ""))).toEqual({
    tag: hex(Buffer.from("tagtagta")),
    value: wire.attributes[name],
  });
});

test.each(Object.entries(wire["more attributes"]))("all forms of MessagePack are read: %s", (_, vector) => {
  expect(readAttribute(bytes(vector.bytes)).value).toEqual(vector.meaning);
});

test.each(Object.keys(golden.headers))("a header means what was written: %s", (name) => {
  expect(readHeader(bytes(golden.headers[name] ?? ""))).toEqual(wire.headers[name]);
});

test.each(Object.keys(golden.tombstones))("a tombstone tells why: %s", (reason) => {
  expect(readHeader(bytes(golden.tombstones[reason] ?? ""))).toEqual(wire.tombstones[reason]);
});

test.each(Object.entries(wire["more tombstones"]))("a tombstone tells what followed: %s", (_, vector) => {
  expect(readHeader(bytes(vector.bytes))).toEqual(vector.meaning);
});

test.each(Object.entries(wire.later))("what a later release writes is read or refused: %s", (_, vector) => {
  const read = () =>
    vector.header === undefined ? readAttribute(bytes(vector.attribute ?? "")) : readHeader(bytes(vector.header));
  if (vector.meaning === "unreadable") expect(read).toThrow(Unreadable);
  else expect(read()).toEqual(vector.meaning);
});

test("a sealed value opens by the ring's key, its tag, its session and its name", () => {
  const sealed = Buffer.concat([Buffer.from("tagtagta"), bytes(wire.sealed.bytes)]);
  const open = (name: string) => openAttribute(sealed, { A: key("a") }, "ABCDEFGHabcdefgh", name);
  expect(readAttribute(open("theme")).value).toEqual(wire.sealed.meaning);
  expect(() => open("other")).toThrow();
});

describe("token", () => {
  test.each(Object.keys(golden.tokens))("its parts are where the table says: %s", (kind) => {
    expect(readToken(golden.tokens[kind] ?? "", key("m"))).toEqual(wire.tokens[kind]);
  });

  test("a forged one is none", () => {
    const token = golden.tokens.a ?? "";
    expect(readToken(token, key("x"))).toBeNull();
    expect(readToken(`s${token.slice(1)}`, key("m"))).toBeNull();
    expect(readToken(`${token}A`, key("m"))).toBeNull();
  });

  test("what is derived from it and from a principal is derived alike", () => {
    expect(hashSecret(key("p"), "abcdefghijklmnopqrstuvwxyz012345")).toBe(golden.secret_hash);
    expect(place(key("l"), "42")).toEqual(golden.place);
    expect(pseudonym(key("l"), "42")).toBe(golden.pseudonym);
    expect(csrfSecret(key("c"), "ABCDEFGHabcdefgh")).toBe(golden.csrf.secret);
    expect(unmask(golden.csrf.masked)).toBe(golden.csrf.secret);
  });
});

test.each(wire.keys)("every key and its slot: partition $partition", (vector) => {
  expect(vector).toMatchObject(keysOf(vector));
});
