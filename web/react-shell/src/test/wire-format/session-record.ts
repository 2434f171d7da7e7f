/** Header, tombstone, attribute, token and keys, read as docs/wire-format.md says, and from that page alone. */

import { createDecipheriv, createHmac } from "node:crypto";
import { inflateRawSync } from "node:zlib";
import { big, decode, hex, type Meaning, Unreadable } from "./message-pack";

const reasons = ["logout", "idle", "absolute", "revoked", "rotated-away", "replaced", "theft"];
const base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const ascii = new TextDecoder("ascii");
const agents = [
  "Version/18.0 Mobile/15E148 Safari/604.1",
  " (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15",
  " (Linux; Android 10; K)",
  " (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
  " (Macintosh; Intel Mac OS X 10_15_7) Edg/ OPR/",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)",
  " Chrome/140.0.0.0 Mobile Safari/537.36",
].join("");

/** What stands in the field with the empty name. */
export function readHeader(bytes: Uint8Array): Record<string, unknown> {
  if (bytes[0] === 2 && bytes.length >= 10) {
    const reason = reasons[bytes[1] ?? 0] ?? "revoked";
    const successor = reason === "rotated-away" && bytes.length >= 26 ? ascii.decode(bytes.subarray(10, 26)) : "";
    return { kind: "tombstone", reason, ended_at: number(bytes, 2, 8), successor };
  }
  if (bytes[0] !== 1) throw new Unreadable("header");
  const flags = bytes[1] ?? 0;
  const signedIn = (flags & 1) !== 0;
  const rotation = signedIn ? 65 : 45;
  const rotated = (flags & 16) !== 0;
  const tail = rotated ? rotation + 30 : rotation;
  if (bytes.length <= tail) throw new Unreadable("header");
  const { p, u, a, t, ...extra } = readTail(bytes.subarray(tail));
  return {
    kind: "record",
    signed_in: signedIn,
    returned: (flags & 2) !== 0,
    keep: (flags & 4) !== 0 ? true : (flags & 8) !== 0 ? false : null,
    pepper_id: ascii.decode(bytes.subarray(2, 3)),
    rotation_count: number(bytes, 3, 2),
    secret_hash: hex(bytes.subarray(5, 21)),
    created_at: number(bytes, 21, 6),
    last_seen_at: number(bytes, 27, 6),
    idle: number(bytes, 33, 6),
    absolute_at: number(bytes, 39, 6),
    generation: signedIn ? number(bytes, 45, 4) : 0,
    principal_key: signedIn ? Buffer.from(bytes.subarray(49, 65)).toString("base64url") : "",
    previous_hash: rotated ? hexUnlessZero(bytes.subarray(rotation, rotation + 16)) : "",
    previous_until: rotated ? number(bytes, rotation + 16, 6) : 0,
    nonce: rotated ? hexUnlessZero(bytes.subarray(rotation + 22, tail)) : "",
    principal: p ?? null,
    user_agent: u !== null && typeof u === "object" ? unpackAgent(u.bytes as string) : "",
    address: a ?? "",
    authenticated_at: t !== null && typeof t === "object" ? Number(t.int) : 0,
    extra,
  };
}

function unpackAgent(packed: string): string {
  return inflateRawSync(Buffer.from(packed, "hex"), { dictionary: Buffer.from(agents, "ascii") }).toString("utf8");
}

function readTail(bytes: Uint8Array): Record<string, Meaning> {
  if (bytes[0] !== 0) throw new Unreadable("sealed, or of a later release");
  const map = decode(bytes.subarray(1));
  if (map === null || typeof map !== "object" || !Array.isArray(map.mapping)) throw new Unreadable("no map");
  return Object.fromEntries(map.mapping as unknown as [string, Meaning][]);
}

/** The value; its tag is the eight bytes before it. */
export function readAttribute(bytes: Uint8Array): { tag: string; value: Meaning } {
  if (bytes.length < 10 || bytes[8] !== 0) throw new Unreadable("sealed, cut short, or of a later release");
  return { tag: hex(bytes.subarray(0, 8)), value: decode(bytes.subarray(9)) };
}

/** What a sealed value is, plain: with its tag before it and its kind byte. */
export function openAttribute(bytes: Uint8Array, ring: Record<string, Uint8Array>, id: string, name: string): Uint8Array {
  const key = ring[String.fromCharCode(bytes[8] ?? 0)];
  if (key === undefined) throw new Unreadable("no such key");
  const derived = createHmac("sha256", key).update(`polysession seal\0${id}\x01`, "ascii").digest();
  const nonce = Buffer.concat([bytes.subarray(0, 8), bytes.subarray(9, 13)]);
  const decipher = createDecipheriv("aes-256-gcm", derived, nonce);
  decipher.setAAD(Buffer.from(id + name, "utf8"));
  decipher.setAuthTag(bytes.subarray(-16));
  const plain = [decipher.update(bytes.subarray(13, -16)), decipher.final()];
  return Buffer.concat([bytes.subarray(0, 8), Buffer.of(0), ...plain]);
}

/** Its parts, if the MAC fits. */
export function readToken(text: string, macKey: Uint8Array): Record<string, unknown> | null {
  if (!/^[as][A-Za-z0-9_-]{69}$/.test(text)) return null;
  if (hmac(macKey, `token\0${text.slice(0, 54)}`).subarray(0, 12).toString("base64url") !== text.slice(54)) return null;
  return {
    kind: text[0],
    mac_key_id: text[1],
    partition: twoCharacters(text.slice(2, 4)),
    session_id: text.slice(4, 20),
    rotation_count: twoCharacters(text.slice(20, 22)),
    secret: text.slice(22, 54),
  };
}

export function hashSecret(pepper: Uint8Array, secret: string): string {
  return hmac(pepper, `secret\0${secret}`).subarray(0, 16).toString("hex");
}

export function place(placementKey: Uint8Array, principal: string): [number, string] {
  const digest = hmac(placementKey, `placement\0${principal}`);
  return [digest.readUInt16BE(0) % 4096, digest.subarray(2, 18).toString("base64url")];
}

export function pseudonym(placementKey: Uint8Array, principal: string): string {
  return hmac(placementKey, `pseudonym\0${principal}`).subarray(0, 16).toString("base64url");
}

export function csrfSecret(csrfKey: Uint8Array, binding: string): string {
  let left = big(hmac(csrfKey, `csrf\0${binding}`));
  let secret = "";
  for (let index = 0; index < 32; index++) {
    secret += letters.charAt(Number(left % 62n));
    left /= 62n;
  }
  return secret;
}

export function unmask(csrfToken: string): string {
  const shift = (index: number) =>
    letters.indexOf(csrfToken.charAt(32 + index)) - letters.indexOf(csrfToken.charAt(index)) + 62;
  return Array.from({ length: 32 }, (_, index) => letters.charAt(shift(index) % 62)).join("");
}

export interface Place {
  prefix: string;
  partition: number;
  session_id: string;
  principal_key: string;
}

export function keysOf({ prefix, partition, session_id, principal_key }: Place): Record<string, unknown> {
  const tag = partition.toString().padStart(4, "0");
  return {
    record: `${prefix}:{${tag}}:s:${session_id}`,
    expiry: `${prefix}:{${tag}}:x`,
    principals: `${prefix}:{${tag}}:p`,
    generation: `${prefix}:{${tag}}:g:${principal_key}`,
    outbox: `${prefix}:{${tag}}:o`,
    member: Buffer.from(session_id, "base64url").toString("hex"),
    field: Buffer.from(principal_key, "base64url").toString("hex"),
    slot: crc16(tag) % 16384,
  };
}

/** CRC-16/XMODEM: polynomial 0x1021, from 0. */
function crc16(characters: string): number {
  let sum = 0;
  for (const byte of Buffer.from(characters, "ascii")) {
    sum ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) sum = ((sum & 0x8000 ? (sum << 1) ^ 0x1021 : sum << 1) & 0xffff) >>> 0;
  }
  return sum;
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac("sha256", key).update(text, "utf8").digest();
}

function number(bytes: Uint8Array, offset: number, size: number): number {
  return Number(big(bytes.subarray(offset, offset + size)));
}

function hexUnlessZero(bytes: Uint8Array): string {
  return bytes.every((byte) => byte === 0) ? "" : hex(bytes);
}

function twoCharacters(two: string): number {
  return base64url.indexOf(two.charAt(0)) * 64 + base64url.indexOf(two.charAt(1));
}
