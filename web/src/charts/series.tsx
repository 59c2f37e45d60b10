import type { KeyboardEvent, PointerEvent } from 'react';
import { useId, useLayoutEffect, useRef, useState } from 'react';
import type { Step } from '../period/period.ts';
import { areaPath, gridValues, linePath, tickIndices } from './scale.ts';

export interface SeriesPoint {
  /** In full, for the crosshair: "Tuesday 3 Nov". */
  name: string;
  tick: string;
  /** `null` is a gap: a step that is still to come, or was not measured. */
  value: number | null;
  unfinished: boolean;
  /** What part it is of a step that the range cuts: "part of a week"; empty for a whole one. */
  part: string;
  /** A day in it was brought along from another product. */
  imported: boolean;
  /** What people wrote onto it. */
  notes: readonly string[];
  before?: { name: string; value: number | null } | undefined;
}

export interface SeriesProps {
  /** The answer in a sentence, for people who do not see the picture. */
  title: string;
  metric: string;
  points: readonly SeriesPoint[];
  hasBefore: boolean;
  kind: 'count' | 'percent' | 'duration';
  step: Step;
  /** A value in full; on the axis in short. */
  text: (value: number) => string;
  axisText: (value: number) => string;
  changeText: (after: number | null, before: number | null) => string | undefined;
  /** Dragging over steps asks for that stretch. */
  onSelect?: ((from: number, to: number) => void) | undefined;
}

const height = 236;
const narrowHeight = 170;
const margin = { top: 12, right: 8, bottom: 24, left: 46 };
/** A drag shorter than this is a click with an unsteady hand. */
const dragMin = 8;

/** One number over time, and the period before it. Its width is measured; its height never changes. */
export function Series(props: SeriesProps) {
  const { points, kind, text, axisText } = props;
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [at, setAt] = useState<number | null>(null);
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null);
  const [spoken, setSpoken] = useState('');
  const titleId = useId();

  useLayoutEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const measure = () => setWidth(element.clientWidth);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const tall = width > 0 && width < 520 ? narrowHeight : height;
  const left = margin.left;
  const right = Math.max(left + 1, width - margin.right);
  const base = tall - margin.bottom;
  const greatest = Math.max(0, ...points.flatMap((point) => [point.value ?? 0, point.before?.value ?? 0]));
  const grid = gridValues(greatest, kind);
  const top = grid.at(-1) ?? 1;
  const x = (index: number) =>
    points.length === 1 ? (left + right) / 2 : left + ((right - left) * index) / (points.length - 1);
  const y = (value: number) => base - ((base - margin.top) * value) / top;
  const place = (value: number | null | undefined, index: number) =>
    value === null || value === undefined ? null : { x: x(index), y: y(value) };

  const main = points.map((point, index) => place(point.value, index));
  const beforeLine = props.hasBefore
    ? points.map((point, index) => (point.part === '' ? place(point.before?.value, index) : null))
    : [];
  // A line to or from a number of half a step would read as a rise or a fall.
  const isWhole = (index: number) => points[index]?.unfinished === false && points[index]?.part === '';
  const solid = main.map((point, index) => (isWhole(index) ? point : null));
  const byThemselves = main.flatMap((point, index) => (isWhole(index) || point === null ? [] : [point]));
  const alone = solid.filter((point, index) => point !== null && !solid[index - 1] && !solid[index + 1]);
  const ticks = tickIndices(points.length, right - left, width < 520 ? 68 : 96, props.step);

  const indexAt = (event: PointerEvent) => {
    const box = frame.current?.getBoundingClientRect();
    if (box === undefined || points.length === 0) return 0;
    const share = (event.clientX - box.left - left) / (right - left);
    return Math.min(points.length - 1, Math.max(0, Math.round(share * (points.length - 1))));
  };

  const say = (index: number) => {
    const point = points[index];
    if (point === undefined) return;
    const value = point.value === null ? 'nothing yet' : text(point.value);
    const before =
      point.before === undefined || point.before.value === null
        ? ''
        : `, ${point.before.name}: ${text(point.before.value)}`;
    const moved = props.changeText(point.value, point.before?.value ?? null);
    setSpoken(
      `${point.name}${point.unfinished ? ', so far' : point.part === '' ? '' : `, ${point.part}`}: ${value}${before}${moved === undefined ? '' : `, change ${moved}`}${point.notes.map((note) => `. ${note}`).join('')}`,
    );
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape' && at !== null) {
      event.stopPropagation();
      setAt(null);
      return;
    }
    const last = points.length - 1;
    const to = {
      ArrowRight: at === null ? 0 : Math.min(last, at + 1),
      ArrowLeft: at === null ? last : Math.max(0, at - 1),
      Home: 0,
      End: last,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    setAt(to);
    say(to);
  };

  const shown = at === null ? undefined : points[at];
  return (
    // biome-ignore lint/a11y/useSemanticElements: no element means a picture that can be walked through.
    <div
      className="series"
      ref={frame}
      role="group"
      aria-labelledby={titleId}
      aria-roledescription="chart"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the crosshair is moved with the arrow keys and read aloud.
      tabIndex={0}
      onKeyDown={onKeyDown}
      onBlur={() => setAt(null)}
      onPointerMove={(event) => {
        const index = indexAt(event);
        setAt(index);
        if (drag !== null) setDrag({ ...drag, to: index });
      }}
      onPointerLeave={() => {
        if (drag === null) setAt(null);
      }}
      onPointerDown={(event) => {
        if (props.onSelect === undefined || event.pointerType === 'touch' || event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        setDrag({ from: indexAt(event), to: indexAt(event) });
      }}
      onPointerUp={() => {
        if (drag === null) return;
        setDrag(null);
        const [from, to] = drag.from <= drag.to ? [drag.from, drag.to] : [drag.to, drag.from];
        if (to > from && x(to) - x(from) >= dragMin) props.onSelect?.(from, to);
      }}
    >
      <p id={titleId} className="vh">
        {props.title}
      </p>
      {width > 0 && (
        <svg width={width} height={tall} aria-hidden="true">
          {grid.map((value) => (
            <g key={value}>
              <line className="grid-line" x1={left} x2={right} y1={y(value)} y2={y(value)} />
              <text className="ax" x={left - 8} y={y(value) + 4} textAnchor="end">
                {axisText(value)}
              </text>
            </g>
          ))}
          {ticks.map((index) => (
            <text
              key={index}
              className="ax"
              x={x(index)}
              y={tall - 6}
              textAnchor={index === 0 && points.length > 1 ? 'start' : x(index) > right - 24 ? 'end' : 'middle'}
            >
              {points[index]?.tick}
            </text>
          ))}
          {stretchesOf(points).map(([first, last]) => (
            <line
              key={first}
              className="imported"
              x1={x(first)}
              x2={Math.max(x(last), x(first) + 3)}
              y1={base}
              y2={base}
            />
          ))}
          {points.map(
            (point, index) =>
              point.notes.length > 0 && (
                <circle key={point.name} className="note-ring" cx={x(index)} cy={base} r="4.500" />
              ),
          )}
          {drag !== null && drag.from !== drag.to && (
            <rect
              className="drag"
              x={Math.min(x(drag.from), x(drag.to))}
              y={margin.top}
              width={Math.abs(x(drag.to) - x(drag.from))}
              height={base - margin.top}
            />
          )}
          <path className="area" d={areaPath(solid, base)} />
          <path className="before" d={linePath(beforeLine)} />
          <path className="line" d={linePath(solid)} />
          {alone.map(
            (point) => point !== null && <circle key={point.x} className="dot-main" cx={point.x} cy={point.y} r="4" />,
          )}
          {byThemselves.map((point) => (
            <g key={point.x}>
              <line className="stem" x1={point.x} x2={point.x} y1={base} y2={point.y} />
              <circle className="dot-so-far" cx={point.x} cy={point.y} r="3.500" />
            </g>
          ))}
          {at !== null && (
            <>
              <line className="hair" x1={x(at)} x2={x(at)} y1={margin.top} y2={base} />
              {beforeLine[at] !== null && beforeLine[at] !== undefined && (
                <circle className="dot-before" cx={beforeLine[at].x} cy={beforeLine[at].y} r="3.500" />
              )}
              {main[at] !== null && main[at] !== undefined && (
                <circle className="dot-main" cx={main[at].x} cy={main[at].y} r="4" />
              )}
            </>
          )}
        </svg>
      )}
      {shown !== undefined && at !== null && (
        <Tip
          at={x(at)}
          width={width}
          point={shown}
          metric={props.metric}
          text={text}
          change={shown.unfinished ? undefined : props.changeText(shown.value, shown.before?.value ?? null)}
        />
      )}
      <span className="vh" aria-live="polite">
        {spoken}
      </span>
    </div>
  );
}

/** Runs of imported steps, first and last. */
function stretchesOf(points: readonly SeriesPoint[]): [number, number][] {
  const runs: [number, number][] = [];
  for (const [index, point] of points.entries()) {
    if (!point.imported) continue;
    const open = runs.at(-1);
    if (open !== undefined && open[1] === index - 1) open[1] = index;
    else runs.push([index, index]);
  }
  return runs;
}

const tipWidth = 196;

function Tip({
  at,
  width,
  point,
  metric,
  text,
  change,
}: {
  at: number;
  width: number;
  point: SeriesPoint;
  metric: string;
  text: (value: number) => string;
  change: string | undefined;
}) {
  const left = at + 20 + tipWidth > width ? Math.max(0, at - 20 - tipWidth) : at + 20;
  return (
    <div className="tip" style={{ left, width: tipWidth }} aria-hidden="true">
      <b>
        {point.name}
        {point.unfinished && <span className="q"> so far</span>}
        {point.part !== '' && <span className="q"> {point.part}</span>}
        {point.imported && <span className="q"> imported</span>}
      </b>
      <dl>
        <dt>{metric}</dt>
        <dd>{point.value === null ? '–' : text(point.value)}</dd>
        {point.before !== undefined && (
          <>
            <dt>{point.before.name}</dt>
            <dd className="was">{point.before.value === null ? '–' : text(point.before.value)}</dd>
          </>
        )}
        {change !== undefined && (
          <>
            <dt>Change</dt>
            <dd>{change}</dd>
          </>
        )}
      </dl>
      {point.notes.map((note) => (
        <p key={note} className="noted" dir="auto">
          {note}
        </p>
      ))}
    </div>
  );
}
