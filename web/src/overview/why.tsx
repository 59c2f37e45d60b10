import type { MetricName } from '../../../contract/query.ts';
import { CopyButton } from '../controls/copy.tsx';
import { Icon } from '../controls/icons.tsx';
import { Popover } from '../controls/popover.tsx';
import type { QueryAnswer, QueryRequest } from '../desk/api.ts';
import type { Filter } from '../questions/filters.ts';
import { filterSentence } from '../questions/filters.ts';
import { metricWords } from '../questions/metrics.ts';
import { explanation } from './explanation.ts';

/** "Why this number": what it means, what it was asked with, where it was read and how fresh it is. */
export function Why({
  metric,
  days,
  before,
  filters,
  question,
  answer,
  answeredAt,
  open,
  onOpenChange,
}: {
  metric: MetricName;
  days: string;
  before: string | undefined;
  filters: readonly Filter[];
  question: QueryRequest;
  answer: QueryAnswer | undefined;
  answeredAt: string | undefined;
  open: boolean;
  onOpenChange: (open: boolean) => void;
}) {
  const words = metricWords[metric];
  const call = JSON.stringify(question, null, 2);
  const facts = explanation(answer);
  return (
    <Popover
      label="Why this number"
      align="end"
      width={420}
      open={open}
      onOpenChange={onOpenChange}
      button={(props) => (
        <button type="button" className="btn quiet sm" {...props}>
          <Icon name="why" />
          <span className="only-w">Why this number</span>
          <span className="vh not-w">Why this number</span>
        </button>
      )}
    >
      {() => (
        <div className="why">
          <h3>{words?.label ?? metric}</h3>
          <p>{words?.definition}</p>
          <dl>
            <dt>Days</dt>
            <dd>{days}</dd>
            {before !== undefined && (
              <>
                <dt>Against</dt>
                <dd>{before}</dd>
              </>
            )}
            <dt>Filters</dt>
            <dd>{filters.length === 0 ? 'none' : filters.map((filter) => filterSentence(filter)).join(' · ')}</dd>
            {answeredAt !== undefined && (
              <>
                <dt>Counted</dt>
                <dd>{answeredAt}</dd>
              </>
            )}
            {facts.map((fact) => (
              <div key={fact.label} className="contents">
                <dt>{fact.label}</dt>
                <dd>{fact.text}</dd>
              </div>
            ))}
          </dl>
          <details>
            <summary>The question as it was asked</summary>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling block must be reachable by keyboard. */}
            <pre className="code" tabIndex={0}>
              {call}
            </pre>
            <div className="editor-foot">
              <CopyButton text={call} label="Copy the question" />
              <code className="ref">POST /api/v2/query</code>
            </div>
          </details>
        </div>
      )}
    </Popover>
  );
}
