/**
 * Values of attributes, read as docs/wire-format.md says, into words that every language has: an integer becomes
 * `{int: "12"}`, a set `{set: […]}`. Written from that page alone, to show that the page suffices.
 */

export type Meaning = null | boolean | string | { [type: string]: Meaning | number | Meaning[] };

export class Unreadable extends Error {}

const text = new TextDecoder("utf-8", { fatal: true });

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** One MessagePack value that takes all of `bytes`. */
export function decode(bytes: Uint8Array): Meaning {
  const reader = new Reader(bytes);
  const value = reader.value();
  if (!reader.done) throw new Unreadable("bytes after the value");
  return value;
}

class Reader {
  private at = 0;
  private readonly view: DataView;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.at === this.bytes.length;
  }

  value(): Meaning {
    const first = Number(this.unsigned(1));
    if (first <= 0x7f) return int(first);
    if (first <= 0x8f) return this.map(first & 0x0f);
    if (first <= 0x9f) return { list: this.items(first & 0x0f) };
    if (first <= 0xbf) return this.str(first & 0x1f);
    if (first >= 0xe0) return int(first - 0x100);
    return this.long(first);
  }

  private long(first: number): Meaning {
    switch (first) {
      case 0xc0:
        return null;
      case 0xc2:
      case 0xc3:
        return first === 0xc3;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return { bytes: hex(this.take(this.size(first - 0xc4))) };
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.extension(this.size(first - 0xc7));
      case 0xca:
        return { float: this.view.getFloat32(this.skip(4)) };
      case 0xcb:
        return { float: this.view.getFloat64(this.skip(8)) };
      case 0xcc:
      case 0xcd:
      case 0xce:
      case 0xcf:
        return int(this.unsigned(2 ** (first - 0xcc)));
      case 0xd0:
      case 0xd1:
      case 0xd2:
      case 0xd3: {
        const size = 2 ** (first - 0xd0);
        return int(BigInt.asIntN(8 * size, this.unsigned(size)));
      }
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.extension(2 ** (first - 0xd4));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.str(this.size(first - 0xd9));
      case 0xdc:
      case 0xdd:
        return { list: this.items(this.size(first - 0xdc + 1)) };
      case 0xde:
      case 0xdf:
        return this.map(this.size(first - 0xde + 1));
      default:
        throw new Unreadable(`no value begins with ${first}`);
    }
  }

  /** A length of 1, 2 or 4 bytes. */
  private size(power: number): number {
    return Number(this.unsigned(2 ** power));
  }

  private skip(count: number): number {
    const from = this.at;
    if (from + count > this.bytes.length) throw new Unreadable("cut short");
    this.at += count;
    return from;
  }

  private take(count: number): Uint8Array {
    const from = this.skip(count);
    return this.bytes.subarray(from, from + count);
  }

  private unsigned(count: number): bigint {
    return big(this.take(count));
  }

  private str(count: number): string {
    return text.decode(this.take(count));
  }

  private items(count: number): Meaning[] {
    return Array.from({ length: count }, () => this.value());
  }

  private map(count: number): Meaning {
    return { mapping: Array.from({ length: count }, () => [this.value(), this.value()] as unknown as Meaning) };
  }

  private extension(count: number): Meaning {
    const code = Number(BigInt.asIntN(8, this.unsigned(1)));
    const data = this.take(count);
    switch (code) {
      case 1:
        return { tuple: list(data) };
      case 2:
        return { set: list(data) };
      case 3:
        return { frozenset: list(data) };
      case 4:
        return { datetime: text.decode(data.subarray(1)), fold: data[0] ?? 0 };
      case 5:
        return { date: text.decode(data) };
      case 6:
        return { decimal: text.decode(data) };
      case 7:
        return { uuid: hex(data).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5") };
      case 8:
        return int(BigInt.asIntN(8 * data.length, big(data)));
      default:
        throw new Unreadable(`extension ${code}`);
    }
  }
}

function int(value: number | bigint): Meaning {
  return { int: value.toString() };
}

/** An unsigned big-endian number of any length. */
export function big(bytes: Uint8Array): bigint {
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function list(data: Uint8Array): Meaning[] {
  const array = decode(data);
  if (array === null || typeof array !== "object" || !Array.isArray(array.list)) throw new Unreadable("no array");
  return array.list;
}
