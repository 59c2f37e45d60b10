import { dropReasons, importStops, leftOutReasons } from '../../../contract/drops.ts';
import type { ImportReportBody, SiteImport } from '../../../contract/imports.ts';
import { Icon } from '../controls/icons.tsx';
import { saveFile } from '../edge/browser.ts';
import { csvText } from '../numbers/csv.ts';
import { exactCount } from '../numbers/format.ts';
import { rangeText } from '../period/words.ts';
import { tableWords } from './kinds.ts';

const sentences: Readonly<Record<string, string>> = { ...dropReasons, ...leftOutReasons, ...importStops };

const plural = (count: number, one: string, many = `${one}s`) => `${exactCount(count)} ${count === 1 ? one : many}`;

type Span = NonNullable<ImportReportBody['days']>;

export function spanText({ first_day: from, last_day: to }: { first_day: string; last_day: string }, today: string) {
  return rangeText({ from, to }, today, { year: true });
}

function daysText(span: Span, today: string): string {
  return `${plural(span.days, 'day')}, ${spanText(span, today)}`;
}

/** What would come of a file, or what came of it: sums, days, what is left out and why. */
export function Report({ one, report, today }: { one: SiteImport; report: ImportReportBody; today: string }) {
  const isDone = one.state === 'done';
  const refusedRows = report.refused.reduce((sum, { rows }) => sum + rows, 0);
  return (
    <div className="im-report">
      <dl className="im-facts">
        <Fact label={isDone ? 'Days that came' : 'Days that would come'}>
          {report.days === null ? 'None' : daysText(report.days, today)}
        </Fact>
        <Fact label="Rows">{`${exactCount(report.stored)} of ${exactCount(report.rows)}`}</Fact>
        <Fact label="Visitors, added up by day">{exactCount(report.visitors)}</Fact>
        <Fact label="Visits">{exactCount(report.visits)}</Fact>
        <Fact label="Page views">{exactCount(report.pageviews)}</Fact>
        <Fact label="Rows left out">{exactCount(refusedRows)}</Fact>
      </dl>
      {report.overlap !== null && (
        <p className="note warn off">
          <Icon name="alert" />
          <span>
            {daysText(report.overlap, today)}, {report.overlap.days === 1 ? 'has' : 'have'} numbers here already,
            measured or from another import. {isDone ? 'They were' : 'They are'} left out, so nothing counts twice.
          </span>
        </p>
      )}
      {report.tables.length > 0 && (
        <p className="q2">
          Tables of days:{' '}
          {report.tables.map(({ name, rows }) => `${tableWords[name] ?? name} (${plural(rows, 'row')})`).join(', ')}.
        </p>
      )}
      {report.not_understood.length > 0 && (
        <p className="q2">Not read, because nothing here has a place for it: {report.not_understood.join(', ')}.</p>
      )}
      {report.left_out.map(({ reason, rows }) => (
        <p className="q2" key={reason}>
          {plural(rows, 'row')}: {sentences[reason] ?? reason}
        </p>
      ))}
      {report.refused.length > 0 && <RefusedRows one={one} report={report} />}
    </div>
  );
}

function Fact({ label, children }: { label: string; children: string }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function RefusedRows({ one, report }: { one: SiteImport; report: ImportReportBody }) {
  const save = () =>
    saveFile(
      `${one.file_name}-left-out.csv`,
      new Blob(
        [
          csvText([
            ['reason', 'what it means', 'rows', 'line'],
            ...report.refused.flatMap(({ reason, rows, lines }) =>
              lines.map((line) => [reason, sentences[reason] ?? '', rows, line]),
            ),
          ]),
        ],
        { type: 'text/csv' },
      ),
    );
  return (
    <section className="im-refused" aria-label="Rows left out">
      <div className="im-refused-head">
        <h3>Rows left out</h3>
        <button type="button" className="btn quiet sm" onClick={save}>
          <Icon name="download" />
          CSV
        </button>
      </div>
      <div className="im-scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">Why</th>
              <th scope="col" className="num">
                Rows
              </th>
              <th scope="col">First lines</th>
            </tr>
          </thead>
          <tbody>
            {report.refused.map(({ reason, rows, lines }) => (
              <tr key={reason}>
                <td>{sentences[reason] ?? reason}</td>
                <td className="num">{exactCount(rows)}</td>
                <td className="im-lines">
                  {lines.join(', ')}
                  {rows > lines.length ? ', …' : ''}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
