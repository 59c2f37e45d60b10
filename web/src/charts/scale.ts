/** At most five grid lines above zero, at round numbers (ui.md §5). */
const linesMax = 5;

/** Grid values from zero upwards; the last is at least the greatest value. Durations step by whole minutes and hours. */
export function gridValues(greatest: number, kind: 'count' | 'percent' | 'duration' = 'count'): number[] {
  const top = greatest > 0 ? greatest : 1;
  const step = kind === 'duration' ? durationStep(top) : niceStep(top, kind === 'count' ? 1 : 0);
  const values: number[] = [];
  for (let at = 0; at <= linesMax + 1; at++) {
    values.push(Number((at * step).toPrecision(12)));
    if (at * step >= top) break;
  }
  return values;
}

/** The smallest step of 1, 2, 2.5 or 5 times a power of ten that needs at most five lines; a count has no half. */
function niceStep(top: number, smallest: number): number {
  const power = 10 ** Math.floor(Math.log10(top / linesMax));
  for (const factor of [1, 2, 2.5, 5, 10]) {
    const step = factor * power;
    if (step * linesMax >= top && (smallest === 0 || (step >= smallest && Number.isInteger(step)))) return step;
  }
  return Math.max(smallest, power * 10);
}

function durationStep(seconds: number): number {
  for (const step of [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400])
    if (step * linesMax >= seconds) return step;
  return Math.ceil(seconds / linesMax / 86_400) * 86_400;
}

/** A path through points; a point without a value interrupts it, because a gap is not a zero. */
export function linePath(points: readonly ({ x: number; y: number } | null)[]): string {
  let path = '';
  let drawing = false;
  for (const point of points) {
    if (point === null) drawing = false;
    else {
      path += `${drawing ? 'L' : 'M'}${round(point.x)} ${round(point.y)}`;
      drawing = true;
    }
  }
  return path;
}

/** The area under each unbroken run of points, down to `base`. */
export function areaPath(points: readonly ({ x: number; y: number } | null)[], base: number): string {
  let path = '';
  let run: { x: number; y: number }[] = [];
  const close = () => {
    const [first] = run;
    const last = run.at(-1);
    if (first !== undefined && last !== undefined && run.length > 1)
      path += `${linePath(run)}L${round(last.x)} ${round(base)}L${round(first.x)} ${round(base)}Z`;
    run = [];
  };
  for (const point of points) {
    if (point === null) close();
    else run.push(point);
  }
  close();
  return path;
}

const round = (value: number) => Math.round(value * 10) / 10;

/** Strides between labels that fall on the same hour, weekday or month every time. */
const strides = {
  hour: [1, 2, 3, 4, 6, 12, 24, 48, 168],
  day: [1, 2, 7, 14, 28, 56, 91],
  week: [1, 2, 4, 8, 13, 26],
  month: [1, 2, 3, 6, 12],
};

/** Which of `length` labels to print so that each has at least `room` pixels; the first always stands. */
export function tickIndices(length: number, width: number, room: number, step: keyof typeof strides): number[] {
  if (length <= 1) return length === 1 ? [0] : [];
  const apart = width / (length - 1);
  const stride = strides[step].find((one) => one * apart >= room) ?? length;
  return Array.from({ length: Math.ceil(length / stride) }, (_, index) => index * stride);
}
