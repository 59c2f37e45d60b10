import type { ReactNode } from 'react';
import type { MetricName } from '../../../contract/query.ts';
import { CallBox } from '../controls/call_box.tsx';
import { Icon } from '../controls/icons.tsx';
import { Popover } from '../controls/popover.tsx';
import { takeFocus } from '../controls/take_focus.ts';
import type { QueryAnswer, QueryRequest } from '../desk/api.ts';
import { filterSentence } from '../questions/filters.ts';
import { metricWords } from '../questions/metrics.ts';
import type { AskedWith } from './asked_with.ts';
import { explanation } from './explanation.ts';

/** "Why this number" beside the chart, for the number that the chart draws. */
export function Why({
  metric,
  open,
  onOpenChange,
  ...rest
}: AskedWith & {
  metric: MetricName;
  question: QueryRequest;
  answer: QueryAnswer | undefined;
  open: boolean;
  onOpenChange: (open: boolean) => void;
}) {
  const words = metricWords[metric];
  return (
    <WhyPopover open={open} onOpenChange={onOpenChange} shortens>
      <Reasons title={words?.label ?? metric} means={[{ text: words?.definition ?? '' }]} {...rest} />
    </WhyPopover>
  );
}

/** The button that every explained number has, and what it opens. */
export function WhyPopover({
  open,
  onOpenChange,
  shortens = false,
  children,
}: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  /** On a narrow screen the button is its sign alone. */
  shortens?: boolean;
  children: ReactNode;
}) {
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
          <span className={shortens ? 'only-w' : ''}>Why this number</span>
          {shortens && <span className="vh not-w">Why this number</span>}
        </button>
      )}
    >
      {() => children}
    </Popover>
  );
}

/** What numbers mean, what they were asked with, what is left out, where they were read and how fresh they are. */
export function Reasons({
  title,
  means,
  left = [],
  days,
  before,
  filters,
  question,
  answer,
  answeredAt,
}: AskedWith & {
  title: string;
  means: readonly { name?: string; text: string }[];
  /** What this list leaves out beside what the filters do. */
  left?: readonly string[];
  question: QueryRequest;
  answer: QueryAnswer | undefined;
}) {
  return (
    <div className="why reached" tabIndex={-1} data-autofocus ref={takeFocus}>
      <h3>{title}</h3>
      {means.map(({ name, text }) => (
        <p key={text}>
          {name !== undefined && <b>{name}. </b>}
          {text}
        </p>
      ))}
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
        <dt>Left out</dt>
        <dd>
          {['Robots, referrer spam and what shields stop: they are counted apart, by reason.', ...left].join(' ')}
        </dd>
        {answeredAt !== undefined && (
          <>
            <dt>Answered</dt>
            <dd>{answeredAt}</dd>
          </>
        )}
        {explanation(answer).map((fact) => (
          <div key={fact.label} className="contents">
            <dt>{fact.label}</dt>
            <dd>{fact.text}</dd>
          </div>
        ))}
      </dl>
      <CallBox site={String(question.site_id)} call={{ method: 'POST', path: '/api/v2/query', body: question }} />
    </div>
  );
}
