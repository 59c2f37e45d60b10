import { spoolLimits } from './limits.ts';

/** Rows in as few appends as take them: a request may bring more than one does. A row that is too long by itself is one, and is refused. */
export function piecesOf(lines: readonly string[]): string[] {
  if (lines.length <= 1) return [...lines];
  const all: string[] = [];
  let piece: string[] = [];
  let bytes = 0;
  for (const line of lines) {
    const own = Buffer.byteLength(line) + 1;
    if (piece.length > 0 && bytes + own > spoolLimits.appendBytesMax) {
      all.push(piece.join('\n'));
      piece = [];
      bytes = 0;
    }
    piece.push(line);
    bytes += own;
  }
  return piece.length === 0 ? all : [...all, piece.join('\n')];
}
