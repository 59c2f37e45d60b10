import { useCallback } from 'react';
import type { MatchQuality } from '../../../../contract/relay_reading.ts';
import { navigate, useAddress } from '../../address/navigate.tsx';
import { pathOf } from '../../address/route.ts';
import { Sparkline } from '../../charts/sparkline.tsx';
import { ComingRows } from '../../controls/coming.tsx';
import type { Site } from '../../desk/api.ts';
import { useReading } from '../../desk/reading.ts';
import { counted, exactCount, milliseconds, percent, share } from '../../numbers/format.ts';
import { Empty, Failed } from '../../overview/states.tsx';
import { relay } from './api.ts';
import { BrowserAndServer } from './browser_share.tsx';
import { withFilters } from './filters.ts';
import { type Here, ReadingFrame } from './frame.tsx';
import { PeriodChoice, readPeriod } from './period_choice.tsx';
import { identifierText } from './words.tsx';

/** How well can platforms match? What of each conversion that goes to them carries which identifier. */
export function RelayMatchPage({ site }: { site: Site }) {
  return (
    <ReadingFrame site={site} title="Match quality" what="match quality">
      {(organisation) => <Match organisation={organisation} />}
    </ReadingFrame>
  );
}

function Match({ organisation }: { organisation: Here }) {
  const { search } = useAddress();
  const period = readPeriod(search);
  const path = pathOf({ page: 'relay-match-quality', site: organisation.site });
  const { answer, problem, reload } = useReading(
    useCallback(() => relay.matchQuality(organisation.id, period), [organisation.id, period]),
  );
  return (
    <>
      <div className="re-controls">
        <PeriodChoice value={period} onChoose={(one) => navigate(withFilters(path, { period: one }))} />
      </div>
      <p className="re-lead">
        Coverage: of what goes to a platform, the share that carries an identifier it can match by. It is counted here,
        and is not a platform’s own score.
      </p>
      {problem !== undefined ? (
        <section className="panel" aria-label="Match quality">
          <Failed
            code={problem.code}
            message={problem.message}
            reference={problem.reference}
            onRetry={reload}
            what="The figures could not be read."
          />
        </section>
      ) : answer === undefined ? (
        <section className="panel" aria-label="Match quality" aria-busy="true">
          <ComingRows what="the figures" rows={8} />
        </section>
      ) : (
        <Quality answer={answer} isToday={period === 'today'} />
      )}
      <BrowserAndServer organisation={organisation} period={period} />
      {answer !== undefined && <p className="re-zone">Days of {answer.span.timezone}.</p>}
    </>
  );
}

function Quality({ answer, isToday }: { answer: MatchQuality; isToday: boolean }) {
  if (answer.conversions === 0)
    return (
      <section className="panel" aria-label="Match quality">
        <Empty title="No conversion came in this period.">Which identifiers the next ones carry stands here.</Empty>
      </section>
    );
  return (
    <>
      {answer.kinds.length === 0 && (
        <section className="panel" aria-label="Platforms">
          <Empty title="Nothing was to go to a platform.">Conversions came in, and no route took one of them.</Empty>
        </section>
      )}
      {answer.kinds.map((kind) => (
        <Kind key={kind.kind} kind={kind} steps={answer.steps} isToday={isToday} />
      ))}
      <Sources answer={answer} />
    </>
  );
}

function Kind({
  kind,
  steps,
  isToday,
}: {
  kind: MatchQuality['kinds'][number];
  steps: readonly string[];
  isToday: boolean;
}) {
  const shareOf = (part: number, whole: number) => {
    const value = share(part, whole);
    return value === null ? '–' : percent(value);
  };
  return (
    <section className="list re-table" aria-labelledby={`kind-${kind.kind}`}>
      <header className="re-head">
        <h2 id={`kind-${kind.kind}`}>{kind.label}</h2>
        <p className="q2">
          {counted(kind.conversions, 'delivery', 'deliveries')}, {shareOf(kind.matchable, kind.conversions)} with
          something to match by
          {kind.latency !== null && `, half accepted within ≈ ${milliseconds(kind.latency.p50_ms)}`}
        </p>
      </header>
      <table className="re-cover">
        <thead>
          <tr>
            <th className="fill">Identifier</th>
            <th className="num">Share</th>
            <th className="num re-w">Deliveries</th>
            {!isToday && <th className="re-spark">By day</th>}
          </tr>
        </thead>
        <tbody>
          {kind.keys.map((one) => (
            <tr key={one.key}>
              <td className="fill">
                <i className="re-bar" style={{ width: `${(92 * one.count) / Math.max(1, kind.conversions)}%` }} />
                <span className="re-over">{identifierText(one.key)}</span>
              </td>
              <td className="num">{shareOf(one.count, kind.conversions)}</td>
              <td className="num re-w">{exactCount(one.count)}</td>
              {!isToday && (
                <td className="re-spark">
                  <Sparkline
                    values={one.by_step.map((part, at) => share(part, kind.by_step[at] ?? 0) ?? 0)}
                    top={100}
                    running
                    label={`${identifierText(one.key)} by day: ${shareOf(one.by_step.at(-1) ?? 0, kind.by_step.at(-1) ?? 0)} on ${steps.at(-1)}`}
                  />
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Sources({ answer }: { answer: MatchQuality }) {
  return (
    <section className="list re-table" aria-labelledby="match-sources">
      <header className="re-head">
        <h2 id="match-sources">Sources</h2>
        <p className="q2">
          {counted(answer.conversions, 'conversion')}, told {counted(answer.doubles, 'time')} more.
        </p>
      </header>
      <table>
        <thead>
          <tr>
            <th className="fill">Source</th>
            <th className="num">Conversions</th>
            <th className="num">With an identifier</th>
            <th className="num re-w">Doubles</th>
          </tr>
        </thead>
        <tbody>
          {[...answer.sources]
            .sort((a, b) => a.with_identifier / a.conversions - b.with_identifier / b.conversions)
            .map(({ source, conversions, with_identifier, doubles }) => (
              <tr key={source.id}>
                <td className="fill">{source.name ?? `Source ${source.id}, deleted`}</td>
                <td className="num">{exactCount(conversions)}</td>
                <td className="num">{percent(share(with_identifier, conversions) ?? 0)}</td>
                <td className="num re-w">{exactCount(doubles)}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </section>
  );
}
