export interface DiffLine {
  sign: '+' | '-' | ' ';
  line: string;
}

/** Lines that stay around a change. */
const around = 1;

/**
 * What differs between two versions, line by line, with the heading and a line around each change. Both have a few hundred
 * lines at most, so the plain table of common lengths is made in a few milliseconds.
 *
 * @example diffOf(['a', 'b'], ['a', 'c']) // [{' ', 'a'}, {'-', 'b'}, {'+', 'c'}]
 */
export function diffOf(before: readonly string[], after: readonly string[]): DiffLine[] {
  const width = after.length + 1;
  const common = new Uint16Array((before.length + 1) * width);
  const at = (i: number, j: number) => common[i * width + j] as number;
  for (let i = before.length - 1; i >= 0; i--)
    for (let j = after.length - 1; j >= 0; j--)
      common[i * width + j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const all: DiffLine[] = [];
  for (let i = 0, j = 0; i < before.length || j < after.length; ) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      all.push({ sign: ' ', line: before[i++] as string });
      j++;
    } else if (i < before.length && (j >= after.length || at(i + 1, j) >= at(i, j + 1)))
      all.push({ sign: '-', line: before[i++] as string });
    else all.push({ sign: '+', line: after[j++] as string });
  }
  return all.filter(({ line, sign }, place) => {
    if (sign !== ' ') return true;
    if (all.slice(Math.max(0, place - around), place + around + 1).some((one) => one.sign !== ' ')) return true;
    return line.startsWith('# ') && changesBeforeNextHeading(all, place);
  });
}

function changesBeforeNextHeading(all: readonly DiffLine[], place: number): boolean {
  for (const { sign, line } of all.slice(place + 1)) {
    if (sign !== ' ') return true;
    if (line.startsWith('# ')) return false;
  }
  return false;
}
