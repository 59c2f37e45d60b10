import { refused } from './refused.ts';

/** What a piece of XML says, one thing after another. Names without their prefix: `x:row` and `row` are the same. */
export interface XmlReader {
  open?(name: string, attribute: (name: string) => string | undefined): void;
  close?(name: string): void;
  text?(text: string): void;
}

/** Of one tag with its attributes, and of what is held while its end is not there yet. */
const heldCharsMax = 256 * 1024;

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/**
 * Reads well-formed XML in pieces. A document type is refused: it is how a small file unfolds into gigabytes, or asks for
 * another file, and no table has one.
 * @throws RequestError on a document type, and on a tag or comment without an end
 */
export async function readXml(bytes: AsyncIterable<Buffer>, reader: XmlReader, name: string): Promise<void> {
  const parser = openParser(reader, name);
  const decoder = new TextDecoder('utf-8');
  for await (const piece of bytes) parser.push(decoder.decode(piece, { stream: true }));
  parser.push(decoder.decode());
  parser.end();
}

/** The same, for who takes what was read between two pieces. */
export function openParser(reader: XmlReader, name: string): { push(text: string): void; end(): void } {
  let held = '';
  const broken = () => refused(`${name} in the workbook is damaged: save it again, or save it as CSV.`);

  /** @returns where it went on, or -1 where its end is not there yet */
  function readMarkup(at: number): number {
    if (held.startsWith('<!--', at)) return after('-->', at + 4);
    if (held.startsWith('<![CDATA[', at)) {
      const end = held.indexOf(']]>', at + 9);
      if (end < 0) return -1;
      reader.text?.(held.slice(at + 9, end));
      return end + 3;
    }
    if (held.startsWith('<?', at)) return after('?>', at + 2);
    // Of a beginning like `<![CD` the rest has to come before it says what it is.
    if (held.startsWith('<!', at)) {
      if (
        held.length - at < '<![CDATA['.length &&
        ('<![CDATA['.startsWith(held.slice(at)) || '<!--'.startsWith(held.slice(at)))
      )
        return -1;
      throw broken();
    }
    const end = endOfTag(at + 1);
    if (end < 0) return -1;
    readTag(held.slice(at + 1, end));
    return end + 1;
  }
  function after(mark: string, from: number): number {
    const end = held.indexOf(mark, from);
    return end < 0 ? -1 : end + mark.length;
  }
  /** A `>` in quotes ends no tag. */
  function endOfTag(from: number): number {
    let end = held.indexOf('>', from);
    for (let quote = quoteIn(from, end); end >= 0 && quote >= 0; quote = quoteIn(quote, end)) {
      const close = held.indexOf(held.charAt(quote), quote + 1);
      if (close < 0) return -1;
      if (close > end) end = held.indexOf('>', close);
      quote = close + 1;
    }
    return end;
  }
  function quoteIn(from: number, end: number): number {
    for (let at = from; at < end; at++) {
      const sign = held.charCodeAt(at);
      if (sign === 0x22 || sign === 0x27) return at;
    }
    return -1;
  }
  function readTag(tag: string): void {
    if (tag.startsWith('/')) {
      reader.close?.(localName(tag.slice(1).trim()));
      return;
    }
    const isEmpty = tag.endsWith('/');
    const whole = isEmpty ? tag.slice(0, -1) : tag;
    const space = whole.search(/\s/);
    const own = localName(space < 0 ? whole : whole.slice(0, space));
    reader.open?.(own, (wanted) => attributeOf(whole, wanted));
    if (isEmpty) reader.close?.(own);
  }

  return {
    push(text) {
      held += text;
      let at = 0;
      while (at < held.length) {
        const start = held.indexOf('<', at);
        if (start < 0) break;
        if (start > at) reader.text?.(unescaped(held.slice(at, start)));
        at = start;
        const next = readMarkup(at);
        if (next < 0) break;
        at = next;
      }
      held = held.slice(at);
      if (held.length > heldCharsMax) throw broken();
    },
    end() {
      if (held.trim() !== '') throw broken();
    },
  };
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

/** By its whole name, such as `r:id`. */
function attributeOf(tag: string, name: string): string | undefined {
  for (let at = tag.indexOf(name); at >= 0; at = tag.indexOf(name, at + 1)) {
    if (!/\s/.test(tag.charAt(at - 1))) continue;
    const found = /^\s*=\s*(?:"([^"]*)"|'([^']*)')/.exec(tag.slice(at + name.length));
    if (found !== null) return unescaped(found[1] ?? found[2] ?? '');
  }
  return undefined;
}

function unescaped(text: string): string {
  if (!text.includes('&')) return text;
  return text.replaceAll(/&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(\w{2,4}));/g, (whole, decimal, hex, name) => {
    if (name !== undefined) return entities[name] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return code <= 0x10_ff_ff ? String.fromCodePoint(code) : '\ufffd';
  });
}
