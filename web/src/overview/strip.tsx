import type { MetricName } from '../../../contract/query.ts';
import { ChangeMark } from '../controls/change.tsx';
import type { Answer } from '../desk/answers.ts';
import { drawn } from '../desk/answers.ts';
import type { QueryAnswer } from '../desk/api.ts';
import type { Cell } from '../numbers/format.ts';
import { cellNumber, cellOf, change, isMean, metricText, notApplicable, onItsWay } from '../numbers/format.ts';
import { metricLabel } from '../questions/metrics.ts';

/** A total and what it was in the period before. */
export interface Total {
  metric: MetricName;
  after: Cell | undefined;
  before: Cell | undefined;
  /** What it is called here, where that is not what its metric is called everywhere. */
  label?: string;
}

export function totalsOf(answer: QueryAnswer | undefined, metrics: readonly MetricName[]): Total[] {
  const row = answer?.results[0];
  return metrics.map((metric, index) => ({
    metric,
    after: cellOf(metrics, row?.metrics, index),
    before: cellOf(metrics, row?.comparison?.metrics, index),
  }));
}

/** The count that a sum or a share rests on, where it stands beside it. */
const restsOn: Partial<Record<MetricName, MetricName>> = { total_revenue: 'events', conversion_rate: 'visitors' };

/** The figures over the chart. Each is a button that draws itself. */
export function Strip({
  totals,
  answers,
  selected,
  onSelect,
  compared,
  partly,
}: {
  totals: readonly Total[];
  answers: readonly Answer[];
  selected: MetricName;
  onSelect: (metric: MetricName) => void;
  compared: string | undefined;
  /** Says from when on the days before were measured, where that is not all of them: there is no change then. */
  partly: string | undefined;
}) {
  // What a number rests on: with few of them, a percentage means nothing.
  const baseOf = (metric: MetricName) => {
    const rests = isMean(metric) ? 'visits' : restsOn[metric];
    const base = rests === undefined ? null : cellNumber(totals.find((total) => total.metric === rests)?.before);
    // Without an order before, revenue is new; without a visit before, there was no rate.
    return base === null || (base === 0 && !isMean(metric)) ? undefined : base;
  };
  return (
    <fieldset className={`ks n${totals.length}`} aria-label="Number shown in the chart">
      {totals.map((total, index) => {
        const answer = answers[index] as Answer;
        const known = drawn(answer) !== undefined;
        const rests = baseOf(total.metric);
        return (
          <button
            key={total.metric}
            type="button"
            className={`k ${answer.state === 'waiting' && answer.late && known ? 'dim' : ''}`}
            aria-pressed={total.metric === selected}
            onClick={() => onSelect(total.metric)}
          >
            <span className="kl">{total.label ?? metricLabel(total.metric)}</span>
            <span className="kv" title={known ? metricText(total.metric, total.after, { exact: true }) : undefined}>
              {known ? metricText(total.metric, total.after) : <Unknown answer={answer} />}
            </span>
            {known && partly !== undefined ? (
              <span className="dl none" title={`No change: the days before are ${partly}`}>
                {notApplicable}
              </span>
            ) : known && compared !== undefined ? (
              <ChangeMark
                change={change(total.metric, total.after, total.before, rests === undefined ? {} : { base: rests })}
                against={compared}
              />
            ) : (
              <span className="dl">&nbsp;</span>
            )}
          </button>
        );
      })}
    </fieldset>
  );
}

/** A figure without an answer: not read, late (a skeleton of its size), or just on its way. */
function Unknown({ answer }: { answer: Answer }) {
  if (answer.state === 'failed') return 'not read';
  return answer.state === 'waiting' && answer.late ? <i className="bone" /> : onItsWay;
}
