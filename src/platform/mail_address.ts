/** RFC 5321 §4.5.3.1.3, without its brackets. */
const addressMax = 254;
const nameMax = 60;

/** One address and nothing else: no list, no name, no line break, no bracket. */
export function isAddress(text: string): boolean {
  return text.length <= addressMax && /^[^\s@<>,;:"()[\]\\\p{Cc}]+@[^\s@<>,;:"()[\]\\\p{Cc}]+$/u.test(text);
}

/** `Fairlead <desk@desk.example>`, or the bare address. */
export function isSender(text: string): boolean {
  const named = /^([^<>"\p{Cc}]*)<([^<>]+)>$/u.exec(text.trim());
  return named === null
    ? isAddress(text.trim())
    : (named[1] ?? '').trim().length <= nameMax && isAddress(named[2] ?? '');
}
