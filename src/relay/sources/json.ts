import { captureLimits } from '../../../contract/mapping.ts';
import type { Data } from '../mapping/data.ts';

/** Why a text was not read. `at` is the place of the character that it ended at; what stands there is not said. */
export interface Unread {
  readonly reason: 'not_json' | 'too_deep' | 'too_many_items';
  readonly at: number;
}

/**
 * JSON (RFC 8259) with three differences to `JSON.parse`: numbers that a double would change stay the text that they came in
 * (12.50, 9007199254740993), depth and lengths have limits, and objects have no prototype to reach. Where a name stands
 * twice in an object the last one counts, as `JSON.parse` has it. A byte order mark at the start is passed over.
 *
 * @example readJson('{"payout": 12.50}') // { data: { payout: '12.50' } }
 */
export function readJson(text: string): { readonly data: Data } | { readonly unread: Unread } {
  try {
    return { data: new Reader(text).whole() };
  } catch (error) {
    if (error instanceof Stop) return { unread: { reason: error.reason, at: error.at } };
    throw error;
  }
}

class Stop extends Error {
  readonly reason: Unread['reason'];
  readonly at: number;
  constructor(reason: Unread['reason'], at: number) {
    super(reason);
    this.reason = reason;
    this.at = at;
  }
}

const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const words = new Map<string, boolean | null>([
  ['true', true],
  ['false', false],
  ['null', null],
]);
const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];
const [openList, closeList, openNames, closeNames] = [0x5b, 0x5d, 0x7b, 0x7d];

class Reader {
  readonly #text: string;
  #at: number;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  }

  whole(): Data {
    const data = this.#value();
    if (this.#next() !== undefined) this.#stop('not_json');
    return data;
  }

  #value(): Data {
    const code = this.#next();
    if (code === quote) return this.#string();
    if (code === openNames) return this.#inside(() => this.#names());
    if (code === openList) return this.#inside(() => this.#list());
    if (code === 0x2d || (code !== undefined && code >= 0x30 && code <= 0x39)) return this.#number();
    for (const [word, data] of words)
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return data;
      }
    return this.#stop('not_json');
  }

  #inside<T>(read: () => T): T {
    if (++this.#depth > captureLimits.depthMax) this.#stop('too_deep');
    this.#at++;
    const data = read();
    this.#depth--;
    return data;
  }

  #list(): Data[] {
    const list: Data[] = [];
    if (this.#ends(closeList)) return list;
    do {
      if (list.length === captureLimits.itemsMax) this.#stop('too_many_items');
      list.push(this.#value());
    } while (this.#goesOn(closeList));
    return list;
  }

  #names(): Data {
    const names: Record<string, Data> = Object.create(null);
    if (this.#ends(closeNames)) return names;
    let count = 0;
    do {
      if (count++ === captureLimits.itemsMax) this.#stop('too_many_items');
      if (this.#next() !== quote) this.#stop('not_json');
      const name = this.#string();
      if (this.#next() !== colon) this.#stop('not_json');
      this.#at++;
      names[name] = this.#value();
    } while (this.#goesOn(closeNames));
    return names;
  }

  #string(): string {
    const text = this.#text;
    const start = this.#at;
    let hasEscapes = false;
    for (let at = start + 1; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === quote) {
        this.#at = at + 1;
        return hasEscapes ? this.#unescape(start) : text.slice(start + 1, at);
      }
      if (code < 0x20) this.#stop('not_json', at);
      if (code === backslash) {
        hasEscapes = true;
        at++;
      }
    }
    return this.#stop('not_json', text.length);
  }

  #unescape(start: number): string {
    try {
      return JSON.parse(this.#text.slice(start, this.#at)) as string;
    } catch {
      return this.#stop('not_json', start);
    }
  }

  #number(): Data {
    number.lastIndex = this.#at;
    const found = number.exec(this.#text)?.[0];
    if (found === undefined) return this.#stop('not_json');
    this.#at += found.length;
    const value = Number(found);
    return String(value) === found ? value : found;
  }

  /** The code of the next character that is no space; undefined at the end. */
  #next(): number | undefined {
    for (; this.#at < this.#text.length; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return code;
    }
    return undefined;
  }

  #ends(close: number): boolean {
    if (this.#next() !== close) return false;
    this.#at++;
    return true;
  }

  /** Behind an item: a comma goes on, the bracket ends. */
  #goesOn(close: number): boolean {
    if (this.#ends(close)) return false;
    if (this.#next() !== comma) this.#stop('not_json');
    this.#at++;
    return true;
  }

  #stop(reason: Unread['reason'], at = this.#at): never {
    throw new Stop(reason, at);
  }
}
