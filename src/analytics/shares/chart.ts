import type { QueryAnswer } from '../../../contract/query.ts';
import { monday } from '../../platform/zone.ts';
import { axisCount, type Cell, cellNumber, exactCount, gridValues, htmlText, stepText, stepTick } from '../figures.ts';
import type { Frame } from './period.ts';

/** A step of the course: null is not measured, or not come yet. */
interface Point {
  name: string;
  tick: string;
  value: number | null;
  before: number | null;
  beforeName: string | undefined;
  /** The step that runs, or one that the range cuts: it stands by itself, since a line to it would read as a fall. */
  alone: '' | 'so far' | 'part of a week';
}

const height = { page: 236, widget: 132 };
const margin = { top: 12, bottom: 24 };

/**
 * The course of the visitors as a drawing without scripts: it is as wide as its place, its letters keep their size, and
 * hovering over a step says its numbers. The same numbers stand in a table beside it.
 * @param measuredFrom the first day of the site, `YYYY-MM-DD`: earlier steps are gaps and not zeros
 */
export function chartOf(
  frame: Frame,
  { series, before }: { series: QueryAnswer; before: QueryAnswer | undefined },
  measuredFrom: string,
  size: keyof typeof height,
): string {
  const points = pointsOf(frame, series, before, measuredFrom);
  const greatest = Math.max(0, ...points.flatMap((point) => [point.value ?? 0, point.before ?? 0]));
  const grid = gridValues(greatest);
  const top = grid.at(-1) ?? 1;
  const tall = height[size];
  const base = tall - margin.bottom;
  const y = (value: number) => round(base - ((base - margin.top) * value) / top);
  // Across, everything is in percent, so that the drawing stretches and its letters and strokes do not.
  const x = (index: number) => round(points.length === 1 ? 50 : (index / (points.length - 1)) * 100);
  const line = points.map(({ value, alone }, index) =>
    value === null || alone !== '' ? null : { x: x(index) * 10, y: y(value) },
  );
  const beforeLine = points.map((point, index) =>
    point.before === null || point.alone === 'part of a week' ? null : { x: x(index) * 10, y: y(point.before) },
  );
  const ticks = ticksOf(points.length, size === 'page' ? 10 : 5);
  return `<div class="chart" data-size="${size}">
<svg class="axis" width="40" height="${tall}" aria-hidden="true">${grid
    .map((value) => `<text x="32" y="${y(value) + 4}" text-anchor="end">${axisCount(value)}</text>`)
    .join('')}</svg>
<svg class="plot" width="100%" height="${tall}" role="img" aria-label="${htmlText(spoken(frame, points))}">
${grid.map((value) => `<line class="grid-line" x1="0" x2="100%" y1="${y(value)}" y2="${y(value)}"/>`).join('')}
${ticks
  .map(
    ({ index, first, last, wide }) =>
      `<text${wide ? ' class="wide"' : ''} x="${x(index)}%" y="${tall - 6}" text-anchor="${first ? 'start' : last ? 'end' : 'middle'}">${htmlText(points[index]?.tick ?? '')}</text>`,
  )
  .join('')}
<svg x="0" y="0" width="100%" height="${tall}" viewBox="0 0 1000 ${tall}" preserveAspectRatio="none">
<path class="area" d="${areaPath(line, base)}"/><path class="before" d="${linePath(beforeLine)}"/><path class="line" d="${linePath(line)}"/>
</svg>
${points.map((point, index) => marks(point, { x: x(index), y, base, tall, count: points.length, index, lonely: isLonely(line, index) })).join('')}
</svg>
</div>`;
}

/** What stands at one step: the point itself where no line holds it, and what is said when a pointer is over it. */
function marks(
  point: Point,
  at: {
    x: number;
    y(value: number): number;
    base: number;
    tall: number;
    count: number;
    index: number;
    lonely: boolean;
  },
): string {
  if (point.value === null) return '';
  const { x, y, base, tall, count, index } = at;
  const half = count === 1 ? 50 : 50 / (count - 1);
  const left = Math.max(0, x - half);
  const top = y(point.value);
  const before = point.before === null ? '' : `, ${point.beforeName ?? 'before'}: ${exactCount(point.before)}`;
  const alone = point.alone === '' ? '' : `, ${point.alone}`;
  const shown =
    point.alone !== ''
      ? `<line class="stem" x1="${x}%" x2="${x}%" y1="${base}" y2="${top}"/><circle class="dot-so-far" cx="${x}%" cy="${top}" r="3.5"/>`
      : at.lonely
        ? `<circle class="dot" cx="${x}%" cy="${top}" r="4"/>`
        : '';
  // The first and the last have half a step of room: their sides are the sides of the drawing.
  const width = Math.min(100, x + half) - left;
  return `${shown}<g class="pt"><rect x="${round(left)}%" y="0" width="${round(width)}%" height="${tall}"/><line x1="${x}%" x2="${x}%" y1="${margin.top}" y2="${base}"/><circle cx="${x}%" cy="${top}" r="4"/><title>${htmlText(`${point.name}${alone}: ${exactCount(point.value)} visitors${before}`)}</title></g>${index === count - 1 ? '' : '\n'}`;
}

function isLonely(line: readonly (object | null)[], index: number): boolean {
  return line[index] !== null && (line[index - 1] ?? null) === null && (line[index + 1] ?? null) === null && index >= 0;
}

/** The same numbers as rows, one key away (ui.md §5). */
export function chartTable(
  frame: Frame,
  { series, before }: { series: QueryAnswer; before: QueryAnswer | undefined },
  measuredFrom: string,
): string {
  const points = pointsOf(frame, series, before, measuredFrom);
  const text = (value: number | null) => (value === null ? '–' : exactCount(value));
  return `<details class="data"><summary>The chart as a table</summary>
<div class="scroll" tabindex="0" role="region" aria-label="Visitors by ${frame.step}"><table><thead><tr><th scope="col">${frame.step === 'hour' ? 'Hour' : frame.step === 'day' ? 'Day' : frame.step === 'week' ? 'Week' : 'Month'}</th><th scope="col" class="num">Visitors</th>${before === undefined ? '' : '<th scope="col" class="num">Before</th>'}</tr></thead><tbody>
${points
  .map(
    (point) =>
      `<tr><th scope="row">${htmlText(point.name)}${point.alone === '' ? '' : ` <span class="q">${point.alone}</span>`}</th><td class="num">${text(point.value)}</td>${before === undefined ? '' : `<td class="num">${text(point.before)}</td>`}</tr>`,
  )
  .join('\n')}
</tbody></table></div></details>`;
}

function pointsOf(frame: Frame, series: QueryAnswer, before: QueryAnswer | undefined, measuredFrom: string): Point[] {
  const labels = (series.meta.time_labels ?? []) as string[];
  const beforeLabels = (before?.meta.time_labels ?? []) as string[];
  const present = typeof series.meta.present_index === 'number' ? series.meta.present_index : labels.length;
  const values = byLabel(series);
  const beforeValues = byLabel(before);
  const first = [measuredFrom, ...[...values.keys(), ...beforeValues.keys()].map((label) => label.slice(0, 10))].reduce(
    (a, b) => (a < b ? a : b),
  );
  const measured = (label: string) => (frame.step === 'week' ? mondayOf(first) : first) <= label.slice(0, 10);
  return labels.map((label, index) => {
    const beforeLabel = beforeLabels[index];
    const ahead = index > present;
    return {
      name: stepText(label, frame.step),
      tick: stepTick(label, frame.step),
      value: ahead ? null : (values.get(label) ?? (measured(label) ? 0 : null)),
      before: beforeLabel === undefined ? null : (beforeValues.get(beforeLabel) ?? (measured(beforeLabel) ? 0 : null)),
      beforeName: beforeLabel === undefined ? undefined : stepText(beforeLabel, frame.step),
      alone:
        index === present
          ? 'so far'
          : frame.step === 'week' && index === 0 && mondayOf(frame.range.from) !== frame.range.from
            ? 'part of a week'
            : '',
    };
  });
}

function mondayOf(day: string): string {
  return new Date(monday(Math.round(Date.parse(day) / 86_400_000)) * 86_400_000).toISOString().slice(0, 10);
}

function byLabel(answer: QueryAnswer | undefined): Map<string, number> {
  return new Map(
    (answer?.results ?? []).map((row) => [row.dimensions[0] ?? '', cellNumber(row.metrics[0] as Cell) ?? 0]),
  );
}

/** Which labels are printed: all that have room on a wide screen; those marked `wide` go on a narrow one. */
function ticksOf(length: number, most: number): { index: number; first: boolean; last: boolean; wide: boolean }[] {
  const stride = [1, 2, 3, 4, 6, 7, 12, 14, 28, 56].find((one) => length / one <= most) ?? length;
  const indices = Array.from({ length: Math.ceil(length / stride) }, (_, at) => at * stride);
  const narrow = Math.ceil(indices.length / 4);
  return indices.map((index, at) => ({
    index,
    first: index === 0 && length > 1,
    last: index > (length - 1) * 0.97,
    wide: at % narrow !== 0,
  }));
}

function spoken(frame: Frame, points: readonly Point[]): string {
  const known = points.filter((point): point is Point & { value: number } => point.value !== null);
  const [highest] = known.toSorted((a, b) => b.value - a.value);
  if (highest === undefined || highest.value === 0)
    return `Visitors per ${frame.step}: none in this period. The table below has the same.`;
  return `Visitors per ${frame.step}. The most were ${exactCount(highest.value)}, ${highest.name}. The table below has every ${frame.step}.`;
}

function linePath(points: readonly ({ x: number; y: number } | null)[]): string {
  let path = '';
  let drawing = false;
  for (const point of points) {
    if (point !== null) path += `${drawing ? 'L' : 'M'}${round(point.x)} ${round(point.y)}`;
    drawing = point !== null;
  }
  return path;
}

function areaPath(points: readonly ({ x: number; y: number } | null)[], base: number): string {
  const runs: { x: number; y: number }[][] = [[]];
  for (const point of points) {
    if (point === null) runs.push([]);
    else runs.at(-1)?.push(point);
  }
  return runs
    .filter((run) => run.length > 1)
    .map((run) => `${linePath(run)}L${round(run.at(-1)?.x ?? 0)} ${base}L${round(run[0]?.x ?? 0)} ${base}Z`)
    .join('');
}

const round = (value: number) => Math.round(value * 100) / 100;
