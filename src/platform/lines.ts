/**
 * The lines of a stream of bytes, without their breaks (`\n` or `\r\n`). A line longer than `charsMax` is given cut
 * and the rest of it is passed over, so that a file without line breaks cannot fill the memory.
 *
 * `readline` does the same at a quarter of the speed (0.4 million lines a second against 1.7, 200 bytes each).
 */
export async function* readLines(
  bytes: AsyncIterable<Buffer | string>,
  charsMax = 4 * 1024 * 1024,
): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8');
  let rest = '';
  let skipping = false;
  for await (const piece of bytes) {
    rest += typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true });
    let from = 0;
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n', from)) {
      if (skipping) skipping = false;
      else yield rest.slice(from, rest[end - 1] === '\r' ? end - 1 : end);
      from = end + 1;
    }
    rest = rest.slice(from);
    if (rest.length > charsMax) {
      if (!skipping) yield rest.slice(0, charsMax);
      skipping = true;
      rest = '';
    }
  }
  if (rest !== '' && !skipping) yield rest;
}

/** Of UTF-8: the longest that a character of a text takes. */
const bytesOfChar = 3;
const lineBreak = 0x0a;

/**
 * The same stream in pieces that end where a line does, each in memory of its own. A line longer than `charsMax` is given cut, though not
 * at once behind that, and the rest of it is passed over. A byte order mark in front of all is left out.
 */
export async function* wholeLines(
  bytes: AsyncIterable<Uint8Array | string>,
  charsMax: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  let skipping = false;
  let isFirst = true;
  for await (const given of bytes) {
    let piece: Uint8Array = typeof given === 'string' ? Buffer.from(given) : given;
    if (skipping) {
      const end = piece.indexOf(lineBreak);
      if (end < 0) continue;
      skipping = false;
      piece = piece.subarray(end + 1);
    }
    const end = piece.lastIndexOf(lineBreak) + 1;
    if (end > 0) {
      yield together([...rest, piece.subarray(0, end)]);
      rest = [];
      restBytes = 0;
    }
    if (end < piece.length) {
      // The stream may use its memory again.
      rest.push(new Uint8Array(piece.subarray(end)));
      restBytes += piece.length - end;
    }
    if (restBytes > charsMax * bytesOfChar) {
      yield together(rest);
      rest = [];
      restBytes = 0;
      skipping = true;
    }
  }
  if (restBytes > 0) yield together(rest);

  function together(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
    const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    const isMarked = isFirst && whole[0] === 0xef && whole[1] === 0xbb && whole[2] === 0xbf;
    isFirst = false;
    return isMarked ? whole.slice(3) : whole;
  }
}
