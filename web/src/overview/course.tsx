import type { ReactNode } from 'react';
import type { MetricName } from '../../../contract/query.ts';
import type { View } from '../address/view.ts';
import type { SeriesPoint } from '../charts/series.tsx';
import { Series } from '../charts/series.tsx';
import { ChangeMark } from '../controls/change.tsx';
import { Icon } from '../controls/icons.tsx';
import type { Answer } from '../desk/answers.ts';
import { drawn } from '../desk/answers.ts';
import type { Annotation, QueryAnswer } from '../desk/api.ts';
import type { Cell } from '../numbers/format.ts';
import {
  axisCount,
  cellNumber,
  cellOf,
  change,
  duration,
  exactMoney,
  isDuration,
  isMean,
  isPercentMetric,
  metricText,
  money,
} from '../numbers/format.ts';
import type { Day, DayRange, Step } from '../period/period.ts';
import { addDays, addMonths, daysIn, isAhead, isCut, isUnfinished, stepLabels, stepStart } from '../period/period.ts';
import { dayText, rangeText, stepText, stepTick } from '../period/words.ts';
import { metricLabel } from '../questions/metrics.ts';
import type { Frame } from '../questions/overview.ts';
import type { Annotations } from './annotations.tsx';
import { AnnotationList } from './annotations.tsx';
import { importedDays } from './explanation.ts';
import { Failed } from './states.tsx';
import type { Total } from './strip.tsx';

/** What a series holds for each step, and which of it is drawn. */
export interface DrawnAs {
  asked: readonly MetricName[];
  metric: MetricName;
  /** A rate of steps where it has no row is 0, if anybody was there in that step; elsewhere there is none. */
  peopled?: (label: string) => boolean;
}

/** Was anybody there in this step? */
export function isPeopled(answer: Answer | undefined, label: string): boolean {
  return drawn(answer)?.results.some(({ dimensions: [step] }) => step === label) === true;
}

const stepWords: Record<Step, string> = { hour: 'Hour', day: 'Day', week: 'Week', month: 'Month' };

/** The chosen number over time, as a chart or as a table. */
export function Course({
  frame,
  metric,
  view,
  local,
  firstDay,
  series,
  before,
  partly,
  total,
  onChange,
  onRetry,
  currency,
  why,
  annotations,
  drawnAs,
}: {
  frame: Frame;
  metric: MetricName;
  view: View;
  local: { day: string; time: string };
  /** The day the site was made: before it nothing was measured, unless it was imported. */
  firstDay: Day;
  series: Answer;
  before: Answer | undefined;
  /** From when on the days before were measured, where that is not all of them. */
  partly: string | undefined;
  total: Total | undefined;
  onChange: (part: Partial<View>, replace?: boolean) => void;
  onRetry: () => void;
  currency: string;
  why: ReactNode;
  annotations: Annotations;
  drawnAs: DrawnAs;
}) {
  const data = drawn(series);
  const dim = series.state === 'waiting' && series.late && data !== undefined;
  const money_ = metric === 'total_revenue';
  const text = (value: number) => (money_ ? money({ currency, value }) : metricText(metric, value, { exact: true }));
  const axisText = (value: number) =>
    money_
      ? `${axisCount(value)}`
      : isPercentMetric(metric)
        ? `${axisCount(value)}%`
        : isDuration(metric)
          ? duration(value)
          : axisCount(value);
  const beforeData = before === undefined ? undefined : drawn(before);
  const points = pointsOf(frame, drawnAs, local, firstDay, data, beforeData, annotations.all);
  const label = total?.label ?? metricLabel(metric);
  // Known from the days alone, so that the legend has its lines before the numbers come.
  const alone = points.some((point) => point.part !== '')
    ? `part of a ${frame.step}`
    : points.some((point) => point.unfinished)
      ? 'so far'
      : undefined;
  const range = rangeText(frame.range, frame.today, { year: true });
  const measuredBefore = beforeData === undefined || points.some((point) => (point.before?.value ?? null) !== null);
  const beforeRange = frame.before === undefined || !measuredBefore ? undefined : rangeText(frame.before, frame.today);
  const changeText = (after: number | null, was: number | null) => {
    const moved = change(metric, after, was);
    return moved.kind === 'change' ? moved.text : moved.kind === 'new' ? 'new' : undefined;
  };
  return (
    <>
      <div className="leg">
        <span>
          <i className="sw" />
          {range}
        </span>
        {beforeRange !== undefined && (
          <span className="was">
            <i className="sw p" />
            {beforeRange}
            {partly !== undefined && `, ${partly}`}
          </span>
        )}
        <span className="turn only-m" />
        {alone !== undefined && (
          <span>
            <i className="sw s" />
            {alone}
          </span>
        )}
        {points.some((point) => point.imported) && (
          <span className="only-d was">
            <i className="sw i" />
            imported
          </span>
        )}
        <span className="end">
          {why}
          <AnnotationList annotations={annotations} range={frame.range} today={frame.today} />
          <button
            type="button"
            className="btn quiet sm"
            aria-pressed={view.table}
            onClick={() => onChange({ table: !view.table }, true)}
          >
            <Icon name="table" />
            <span className="only-w">Table</span>
            <span className="vh not-w">As a table</span>
          </button>
          {frame.offered.length > 1 && (
            <fieldset className="seg" aria-label="Step">
              {frame.offered.map((step) => (
                <button
                  key={step}
                  type="button"
                  aria-pressed={step === frame.step}
                  onClick={() => onChange({ step }, true)}
                >
                  {stepWords[step]}
                </button>
              ))}
            </fieldset>
          )}
        </span>
      </div>
      <div className={`ch ${dim ? 'dim' : ''}`} aria-busy={series.state === 'waiting'}>
        {series.state === 'failed' && data === undefined ? (
          <Failed code={series.code} message={series.message} reference={series.reference} onRetry={onRetry} />
        ) : data === undefined ? (
          <div className={`chart-bone ${series.state === 'waiting' && series.late ? 'shown' : ''}`}>
            {series.state === 'waiting' && series.long && (
              <div className="chart-long" role="status">
                <p>
                  Still counting {daysIn(frame.range)} {daysIn(frame.range) === 1 ? 'day' : 'days'}.
                </p>
                {daysIn(frame.range) > 7 && (
                  <button
                    type="button"
                    className="btn sm"
                    onClick={() => onChange({ period: { kind: 'preset', preset: '7d' }, step: undefined })}
                  >
                    Ask for 7 days
                  </button>
                )}
              </div>
            )}
          </div>
        ) : view.table ? (
          <SeriesTable
            points={points}
            metric={metric}
            label={label}
            text={money_ ? (value) => exactMoney({ currency, value }) : text}
            compared={beforeRange !== undefined}
          />
        ) : (
          <Series
            title={titleOf(metric, label, frame, range, total, points, text)}
            metric={label}
            points={points}
            step={frame.step}
            hasBefore={beforeRange !== undefined}
            kind={isPercentMetric(metric) ? 'percent' : isDuration(metric) ? 'duration' : 'count'}
            text={text}
            axisText={axisText}
            changeText={changeText}
            onSelect={
              frame.step === 'hour'
                ? undefined
                : (from, to) => {
                    const labels = labelsOf(frame.range, frame.step, data);
                    onChange({
                      period: {
                        kind: 'days',
                        // A month that the range cuts is labelled by its first day, which lies before the range.
                        from: later(labels[from] ?? frame.range.from, frame.range.from),
                        to: stepEnd(labels[to] ?? frame.range.to, frame),
                      },
                      step: undefined,
                    });
                  }
            }
          />
        )}
      </div>
    </>
  );
}

/** The labels of the steps: the desk's own where it gives them, since it knows days of 23 and 25 hours. */
function labelsOf(range: Frame['range'], step: Step, answer: QueryAnswer | undefined): string[] {
  const given = answer?.meta.time_labels;
  return Array.isArray(given) && given.length > 0 ? (given as string[]) : stepLabels(range, step);
}

function pointsOf(
  frame: Frame,
  { asked, metric, peopled }: DrawnAs,
  local: { day: string; time: string },
  firstDay: Day,
  answer: QueryAnswer | undefined,
  before: QueryAnswer | undefined,
  annotations: readonly Annotation[],
): SeriesPoint[] {
  const values = byLabel(answer, asked, metric);
  const beforeValues = byLabel(before, asked, metric);
  const beforeLabels = frame.before === undefined ? [] : labelsOf(frame.before, frame.step, before);
  const imported = importedDays(answer);
  const oneDay = frame.range.from === frame.range.to;
  const known = [stepDay(firstDay, frame.step), ...values.keys(), ...beforeValues.keys()].reduce(earlier);
  // A rate of nothing is no rate: steps without visits are gaps there, and zeros for counts. So are steps before the
  // first that could be measured.
  const missing = (label: string) =>
    ((isPercentMetric(metric) || isMean(metric)) && peopled?.(label) !== true) ||
    label.slice(0, 10) < known.slice(0, 10)
      ? null
      : 0;
  const labels = labelsOf(frame.range, frame.step, answer);
  return labels.map((label, index) => {
    const beforeLabel =
      frame.before !== undefined && frame.step === 'hour'
        ? beforeLabels.find((one) => one === sameHour(label, frame.range, frame.before as DayRange))
        : beforeLabels[index];
    return {
      name: stepText(label, frame.step, frame.today),
      tick: stepTick(label, frame.step, oneDay, frame.today),
      value: isAhead(label, frame.step, local) ? null : (values.get(label) ?? missing(label)),
      unfinished: isUnfinished(label, frame.step, local),
      part:
        !isUnfinished(label, frame.step, local) && isCut(label, frame.step, frame.range)
          ? `part of a ${frame.step}`
          : '',
      imported: imported.some(([from, to]) => from <= stepEnd(label, frame) && to >= label.slice(0, 10)),
      // Where a day is shown by hours, what is written onto it stands at its first: at midnight, if clocks have one.
      notes: labels[index - 1]?.slice(0, 10) === label.slice(0, 10) ? [] : notesOf(label, frame, annotations),
      before:
        beforeLabel === undefined
          ? undefined
          : {
              name: stepText(beforeLabel, frame.step, frame.today),
              value: before === undefined ? null : (beforeValues.get(beforeLabel) ?? missing(beforeLabel)),
            },
    };
  });
}

/** An hour stands against the same hour of its day's counterpart: where clocks change, days have 23 or 25 of them. */
function sameHour(label: string, range: DayRange, before: DayRange): string {
  const day = label.slice(0, 10);
  return `${addDays(before.from, daysIn({ from: range.from, to: day }) - 1)}${label.slice(10)}`;
}

/** The last day of a step, which a range may cut. */
function stepEnd(label: string, { step, range }: Frame): Day {
  const first = label.slice(0, 10);
  if (step === 'week') return earlier(addDays(stepStart(first, 'week'), 6), range.to);
  return step === 'month' ? earlier(addDays(addMonths(`${first.slice(0, 7)}-01`, 1), -1), range.to) : first;
}

/** Annotations of a step; with their days where it has more than one. */
function notesOf(label: string, frame: Frame, annotations: readonly Annotation[]): string[] {
  const last = stepEnd(label, frame);
  return annotations
    .filter(({ day }) => label.slice(0, 10) <= day && day <= last)
    .map(({ day, note }) =>
      frame.step === 'day' || frame.step === 'hour' ? note : `${dayText(day, frame.today)}: ${note}`,
    );
}

/** The day that labels the step which a day lies in. */
function stepDay(day: Day, step: Step): Day {
  return step === 'week' || step === 'month' ? stepStart(day, step) : day;
}

function byLabel(
  answer: QueryAnswer | undefined,
  asked: readonly MetricName[],
  metric: MetricName,
): Map<string, number | null> {
  const at = asked.indexOf(metric);
  return new Map(
    (answer?.results ?? []).map((row) => [
      row.dimensions[0] ?? '',
      cellNumber(cellOf(asked, row.metrics as Cell[], at)),
    ]),
  );
}

/** The answer of the chart in a sentence: the total, what it was before, and where it was highest. */
function titleOf(
  metric: MetricName,
  label: string,
  frame: Frame,
  range: string,
  total: Total | undefined,
  points: readonly SeriesPoint[],
  text: (value: number) => string,
): string {
  const highest = points.reduce<SeriesPoint | undefined>(
    (best, point) => ((point.value ?? -1) > (best?.value ?? -1) ? point : best),
    undefined,
  );
  const parts = [`${label} per ${frame.step}, ${range}: ${metricText(metric, total?.after, { exact: true })}`];
  if (frame.before !== undefined) parts.push(`, against ${metricText(metric, total?.before, { exact: true })} before`);
  const high =
    highest === undefined || highest.value === null ? '' : ` Highest: ${text(highest.value)}, ${highest.name}.`;
  return `${parts.join('')}.${high} Arrow keys read the points.`;
}

function SeriesTable({
  points,
  metric,
  label,
  text,
  compared,
}: {
  points: readonly SeriesPoint[];
  metric: MetricName;
  label: string;
  text: (value: number) => string;
  compared: boolean;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling table must be reachable by keyboard.
    <section className="series-table" tabIndex={0} aria-label={`${label} as a table`}>
      <table>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col" className="num">
              {label}
            </th>
            {compared && (
              <>
                <th scope="col" className="num lo">
                  Before
                </th>
                <th scope="col" className="num">
                  Change
                </th>
              </>
            )}
          </tr>
        </thead>
        <tbody>
          {points.map((point) => (
            <tr key={point.name}>
              <th scope="row">
                {point.name}
                {point.unfinished && <span className="q"> so far</span>}
                {point.part !== '' && <span className="q"> {point.part}</span>}
                {point.imported && <span className="q"> imported</span>}
                {point.notes.map((note) => (
                  <span key={note} className="noted" dir="auto">
                    {note}
                  </span>
                ))}
              </th>
              <td className="num">{point.value === null ? '–' : text(point.value)}</td>
              {compared && (
                <>
                  <td className="num z lo">
                    {point.before === undefined || point.before.value === null ? '–' : text(point.before.value)}
                  </td>
                  <td className="num">
                    {point.unfinished ? (
                      '–'
                    ) : (
                      <ChangeMark change={change(metric, point.value, point.before?.value ?? null)} />
                    )}
                  </td>
                </>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const later = (one: string, other: string) => (one > other ? one : other);
const earlier = (one: string, other: string) => (one < other ? one : other);
