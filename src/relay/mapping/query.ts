import { captureLimits } from '../../../contract/mapping.ts';
import type { Data, Names } from './data.ts';
import { macroIn } from './macros.ts';

/**
 * A query or a form (`a=1&b=2`), read as the URL standard does. A name that stands several times has a list. What looks
 * like a macro is not decoded: of `%deal_id%` that would make another text that nobody recognises.
 * @returns undefined where there are too many fields
 */
export function readQuery(text: string): Names | undefined {
  const fields: Record<string, Data> = Object.create(null);
  let count = 0;
  for (let from = 0; from <= text.length; ) {
    const end = text.indexOf('&', from);
    const pair = text.slice(from, end < 0 ? text.length : end);
    from = end < 0 ? text.length + 1 : end + 1;
    if (pair === '') continue;
    if (count++ === captureLimits.itemsMax) return undefined;
    const cut = pair.indexOf('=');
    const raw = cut < 0 ? '' : pair.slice(cut + 1);
    addField(fields, decode(cut < 0 ? pair : pair.slice(0, cut)), macroIn(raw) === undefined ? decode(raw) : raw);
  }
  return fields;
}

/** A second value of the same name makes a list of both. */
export function addField(fields: Record<string, Data>, name: string, value: string): void {
  const there = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (Array.isArray(there)) there.push(value);
  else fields[name] = there === undefined ? value : [there, value];
}

/** Bytes that are no UTF-8 become U+FFFD and a `%` without two digits stays one, as browsers and servers have it. */
function decode(text: string): string {
  if (!/[%+]/.test(text)) return text;
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return new URLSearchParams(`x=${text.replaceAll('&', '%26')}`).get('x') ?? '';
  }
}
