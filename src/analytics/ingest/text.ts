/**
 * Text as it may be stored: without null bytes (C programs and some SQL tools stop at them) and well-formed, because
 * half a surrogate pair has no UTF-8 and the warehouse would refuse the row. Nearly all text passes both tests as it is.
 */
export function cleanText(text: string): string {
  const formed = text.isWellFormed() ? text : text.toWellFormed();
  return formed.includes('\0') ? formed.replaceAll('\0', '') : formed;
}

/** The first `charsMax` UTF-16 units, never half a character. */
export function cutText(text: string, charsMax: number): string {
  return text.length <= charsMax ? text : text.slice(0, charsMax).toWellFormed();
}
