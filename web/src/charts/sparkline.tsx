import { linePath } from './scale.ts';

const width = 80;
const height = 20;
const inset = 2.5;

/**
 * 80 × 20, no axis, the last point marked; `top` is shared by a column so that its rows can be compared. A last step
 * that still runs is a ring by itself: a line down to it would read as a fall.
 */
export function Sparkline({
  values,
  top,
  label,
  running,
}: {
  values: readonly number[];
  top: number;
  label: string;
  running: boolean;
}) {
  const most = Math.max(1, top);
  const points = values.map((value, index) => ({
    x: inset + ((width - 2 * inset) * index) / Math.max(1, values.length - 1),
    y: height - inset - ((height - 2 * inset) * value) / most,
  }));
  const last = points.at(-1);
  return (
    <svg
      className="spark"
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={label}
    >
      <path d={linePath(running ? points.slice(0, -1) : points)} />
      {last !== undefined && (
        <circle className={running ? 'ring' : ''} cx={last.x} cy={last.y} r={running ? 1.75 : 2} />
      )}
    </svg>
  );
}
