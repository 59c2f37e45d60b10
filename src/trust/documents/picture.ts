import { escapedWords } from '../../platform/http/plain_page.ts';
import type { MapColumn, MapWay } from './paper.ts';

const width = 1080;
const box = { width: 300, pad: 10, line: 16, gap: 12 };
const top = 44;

/** The data map as one picture without a script, a style or a font of its own; each word is escaped. */
export function drawMap(columns: readonly MapColumn[], ways: readonly MapWay[], title: string): string {
  const placed = columns.flatMap((column, at) => {
    let y = top;
    return column.boxes.map((one) => {
      const lines = [...wrapped(one.title, 36), ...(one.words === '' ? [] : wrapped(one.words, 44))];
      const titles = wrapped(one.title, 36).length;
      const height = box.pad * 2 + lines.length * box.line;
      const here = {
        ...one,
        lines,
        titles,
        x: at * ((width - box.width) / Math.max(1, columns.length - 1)),
        y,
        height,
      };
      y += height + box.gap;
      return here;
    });
  });
  const height = Math.max(...placed.map((one) => one.y + one.height), top) + 8;
  const of = (id: string) => placed.find((one) => one.id === id);
  const drawnWays = ways.flatMap((way) => {
    const [from, to] = [of(way.from), of(way.to)];
    if (from === undefined || to === undefined) return [];
    const [x1, y1, x2, y2] = [from.x + box.width, from.y + from.height / 2, to.x, to.y + to.height / 2];
    const bend = (x1 + x2) / 2;
    return [`<path d="M${n(x1)} ${n(y1)}C${n(bend)} ${n(y1)} ${n(bend)} ${n(y2)} ${n(x2)} ${n(y2)}"/>`];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" font-family="system-ui, sans-serif" font-size="12" color="#5b6b7f">`,
    `<title>${escapedWords(title)}</title>`,
    `<g fill="none" stroke="currentColor" stroke-opacity="0.55">${drawnWays.join('')}</g>`,
    ...columns.map(
      (column, at) =>
        `<text x="${n(at * ((width - box.width) / Math.max(1, columns.length - 1)))}" y="26" font-weight="600" fill="currentColor">${escapedWords(column.title)}</text>`,
    ),
    ...placed.map(
      (one) =>
        `<g><rect x="${n(one.x)}" y="${n(one.y)}" width="${box.width}" height="${one.height}" rx="6" fill="currentColor" fill-opacity="0.08" stroke="currentColor"/>${one.lines
          .map(
            (line, at) =>
              `<text x="${n(one.x + box.pad)}" y="${n(one.y + box.pad + 12 + at * box.line)}" fill="currentColor"${at < one.titles ? ' font-weight="600"' : ''}>${escapedWords(line)}</text>`,
          )
          .join('')}</g>`,
    ),
    '</svg>',
  ].join('\n');
}

const n = (value: number) => String(Math.round(value * 10) / 10);

function wrapped(words: string, charsMax: number): string[] {
  const lines: string[] = [];
  for (const word of words.split(/\s+/)) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > charsMax) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
