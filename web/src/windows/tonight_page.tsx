import { useCallback, useState } from 'react';
import { Fact } from '../controls/fact.tsx';
import { FormError } from '../controls/field.tsx';
import { Icon } from '../controls/icons.tsx';
import { asDeskError, type DeskError } from '../desk/api.ts';
import type { Organisation } from '../desk/session.tsx';
import { calendarDay, momentDay, momentText } from '../edge/reader.ts';
import { exactCount } from '../numbers/format.ts';
import { Empty } from '../overview/states.tsx';
import { type PreviewAnswer, type Receipt, windows } from './api.ts';
import { rowsOf, State, useRead, WindowsFrame } from './parts.tsx';
import { words } from './windows_page.tsx';

/** What would go tonight, and what went in the nights before? */
export function TonightPage({ organisation }: { organisation: Organisation }) {
  return (
    <WindowsFrame organisation={organisation} title="Tonight" what="the nightly run">
      <Tonight organisation={organisation} />
      <Receipts organisation={organisation} />
    </WindowsFrame>
  );
}

const dueHeads = ['What', 'Window', 'Rows', 'Oldest'];

function Tonight({ organisation: { id } }: { organisation: Organisation }) {
  const { answer, instead } = useRead(
    useCallback(() => windows.tonight(id), [id]),
    'what would go tonight',
    dueHeads,
  );
  const lines = answer?.lines.filter(({ tables, problem }) => tables.length > 0 || problem !== null) ?? [];
  return (
    <section className="panel wi-lines" aria-labelledby="tonight">
      <h2 id="tonight">What would go tonight</h2>
      {answer !== undefined && (
        <p className="q2">
          The run begins {momentText(answer.at)}.{' '}
          {answer.holds > 0 &&
            (answer.holds === 1
              ? 'A legal hold is in force; what it keeps stays.'
              : `${answer.holds} legal holds are in force; what they keep stays.`)}
        </p>
      )}
      <div className="list many">
        {answer === undefined ? (
          instead
        ) : lines.length === 0 ? (
          <Empty title="Nothing is past its window.">Windows are looked at again when the run begins.</Empty>
        ) : (
          <table>
            <thead>
              <tr>
                {dueHeads.map((head) => (
                  <th key={head} scope="col" className={head === 'Rows' ? 'num' : undefined}>
                    {head}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>{lines.flatMap((line) => dueRows(line))}</tbody>
          </table>
        )}
      </div>
    </section>
  );
}

function dueRows(line: PreviewAnswer['lines'][number]) {
  const name = (
    <>
      <b>{words(line.name)}</b> <span className="q">{line.class}</span>
    </>
  );
  if (line.problem !== null)
    return [
      <tr key={line.name}>
        <td className="some">{name}</td>
        <td className="some" colSpan={3} data-head="Problem">
          <span className="st bad">{line.problem}</span>
        </td>
      </tr>,
    ];
  return line.tables.map(({ table, rows, oldest, is_held }) => (
    <tr key={`${line.name} ${table} ${is_held}`}>
      <td className="some">
        {name}
        <div className="q2">
          <code>{table}</code>
          {is_held && ' stays for a legal hold'}
        </div>
      </td>
      <td data-head="Window">{line.kept}</td>
      <td className="num" data-head="Rows">
        {exactCount(rows)}
      </td>
      <td data-head="Oldest">{momentDay(oldest)}</td>
    </tr>
  ));
}

function Receipts({ organisation: { id } }: { organisation: Organisation }) {
  const { answer, set, instead } = useRead(
    useCallback(() => windows.receipts(id), [id]),
    'the receipts',
    ['Night', 'What', 'Result'],
  );
  const [isMore, setMore] = useState(false);
  const [refusal, setRefusal] = useState<DeskError>();
  const more = async () => {
    if (answer?.next == null) return;
    setMore(true);
    try {
      const page = await windows.receipts(id, answer.next);
      set({ receipts: [...answer.receipts, ...page.receipts], next: page.next });
    } catch (error) {
      setRefusal(asDeskError(error));
    } finally {
      setMore(false);
    }
  };
  return (
    <section className="panel wi-lines" aria-labelledby="receipts">
      <h2 id="receipts">Receipts</h2>
      <p className="q2">
        What nightly runs removed, read once more afterwards. No row is in a receipt, only digests of keys.
      </p>
      <div className="wi-receipts">
        {answer === undefined ? (
          instead
        ) : answer.receipts.length === 0 ? (
          <Empty title="Nothing has gone yet.">A night that removes or holds something leaves a receipt here.</Empty>
        ) : (
          answer.receipts.map((one) => <OneReceipt key={one.id} receipt={one} />)
        )}
      </div>
      <FormError message={refusal?.message} reference={refusal?.reference} />
      {answer?.next != null && (
        <footer>
          <button type="button" className="btn sm" onClick={() => void more()} disabled={isMore}>
            {isMore ? 'Reading…' : 'Show older receipts'}
          </button>
        </footer>
      )}
    </section>
  );
}

function OneReceipt({ receipt }: { receipt: Receipt }) {
  const { id, line, state, rows_gone, rows_held, rows_past_due, gone, held } = receipt;
  return (
    <details>
      <summary className="opens">
        <span className="wi-night">{calendarDay(receipt.night)}</span>
        <span className="wi-what">
          <b>{words(line)}</b>{' '}
          <span className="q2">
            {rowsOf(rows_gone)} removed
            {rows_held > 0 && `, ${rowsOf(rows_held)} held`}
            {rows_past_due > 0 && `, ${rowsOf(rows_past_due)} left`}
          </span>
        </span>
        <State of={state} />
        <Icon name="right" />
      </summary>
      <dl>
        <Fact name="Receipt">{id}</Fact>
        <Fact name="Class">{receipt.class}</Fact>
        <Fact name="Window">
          {receipt.kept}, from the {receipt.kept_from}
        </Fact>
        <Fact name="Cut-off">{momentText(receipt.cut_off)}</Fact>
        <Fact name="Began">{momentText(receipt.began_at)}</Fact>
        <Fact name="Ended">{momentText(receipt.ended_at)}</Fact>
        {held.length > 0 && <Fact name="Holds">{held.join(', ')}</Fact>}
        {receipt.problem !== null && <Fact name="Problem">{receipt.problem}</Fact>}
        {gone.map(({ table, rows, oldest, digest }) => (
          <Fact key={table} name={table}>
            {rowsOf(rows)}
            {oldest !== null && `, the oldest of ${momentDay(oldest)}`}. Digest <code>{digest}</code>
          </Fact>
        ))}
      </dl>
    </details>
  );
}
