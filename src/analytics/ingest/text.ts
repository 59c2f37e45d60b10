/**
 * Text as it may be stored: without null bytes (C programs and some SQL tools stop at them) and well-formed, because
 * half a surrogate pair has no UTF-8 and the warehouse would refuse the row. Nearly all text passes both tests as it is.
 */
export function cleanText(text: string): string {
  const formed = text.isWellFormed() ? text : text.toWellFormed();
  return formed.includes('\0') ? formed.replaceAll('\0', '') : formed;
}

/** At most `charsMax` UTF-16 units, and never half a character at the end. */
export function cutText(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  const isHalf = (text.charCodeAt(charsMax - 1) & 0xfc00) === 0xd800;
  return text.slice(0, isHalf ? charsMax - 1 : charsMax);
}
