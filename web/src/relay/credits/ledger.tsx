import { useCallback, useState } from 'react';
import { creditMicro } from '../../../../contract/credit_unit.ts';
import type { CreditAccount, CreditKind, CreditTransfer } from '../../../../contract/credits.ts';
import { Link } from '../../address/navigate.tsx';
import { pathOf } from '../../address/route.ts';
import { ComingRows } from '../../controls/coming.tsx';
import { Icon } from '../../controls/icons.tsx';
import { asDeskError, type DeskError } from '../../desk/api.ts';
import { useReading } from '../../desk/reading.ts';
import { momentText, secondText } from '../../edge/reader.ts';
import { exactCount } from '../../numbers/format.ts';
import { Empty, Failed } from '../../overview/states.tsx';
import type { Here } from '../reading/frame.tsx';
import { shortId } from '../reading/words.tsx';
import { credits } from './api.ts';
import { type Names, nameIn } from './names.ts';

/** Lines of the ledger, the newest first; each opens to what it did, and to the deliveries that it is for. */
export function Ledger({ organisation, names }: { organisation: Here; names: Names }) {
  const [holds, setHolds] = useState(false);
  const [isMore, setMore] = useState(false);
  const [failure, setFailure] = useState<DeskError>();
  const [open, setOpen] = useState<number>();
  const { answer, problem, reload, set } = useReading(
    useCallback(() => credits.transfers(organisation.id, holds), [organisation.id, holds]),
  );
  const older = async (page: NonNullable<typeof answer>) => {
    setMore(true);
    setFailure(undefined);
    try {
      const more = await credits.transfers(organisation.id, holds, page.next ?? undefined);
      set({ ...more, transfers: [...page.transfers, ...more.transfers] });
    } catch (error) {
      setFailure(asDeskError(error));
    } finally {
      setMore(false);
    }
  };
  return (
    <section className="panel re-log cr-ledger" aria-labelledby="cr-ledger" aria-busy={answer === undefined}>
      <header>
        <h2 id="cr-ledger">Ledger</h2>
        <label className="check">
          <input type="checkbox" checked={holds} onChange={(event) => setHolds(event.target.checked)} />
          <span>What was held while sending, too</span>
        </label>
      </header>
      {problem !== undefined ? (
        <Failed
          code={problem.code}
          message={problem.message}
          reference={problem.reference}
          onRetry={reload}
          what="The ledger could not be read."
        />
      ) : answer === undefined ? (
        <ComingRows what="the ledger" rows={6} />
      ) : answer.transfers.length === 0 ? (
        <Empty title="No line yet.">What is added, used, given back or ends leaves a line here.</Empty>
      ) : (
        <ol className="re-lines">
          {answer.transfers.map((line) => (
            <li key={line.id}>
              <button
                type="button"
                className="cr-line"
                aria-expanded={open === line.id}
                onClick={() => setOpen(open === line.id ? undefined : line.id)}
              >
                <time dateTime={line.at} title={secondText(line.at)}>
                  {momentText(line.at)}
                </time>
                <span className="cr-what">{whatOf(line, names)}</span>
                <Amount micro={line.change} />
                <Icon name={open === line.id ? 'down' : 'right'} />
              </button>
              {open === line.id && <Opened organisation={organisation} line={line} />}
            </li>
          ))}
        </ol>
      )}
      {failure !== undefined && (
        <p className="q2 cr-failure" role="alert">
          {failure.message}
        </p>
      )}
      {answer !== undefined && answer.next !== null && (
        <footer>
          <button type="button" className="btn sm" disabled={isMore} onClick={() => void older(answer)}>
            {isMore ? 'Reading…' : 'Show older'}
          </button>
        </footer>
      )}
    </section>
  );
}

/** With its sign; nothing where it only moved between available and held. */
function Amount({ micro }: { micro: number }) {
  if (micro === 0) return <span className="cr-amount q">0</span>;
  return (
    <span className={`cr-amount ${micro > 0 ? 'plus' : ''}`}>
      {micro > 0 ? '+' : '−'}
      {exactCount(Math.abs(micro) / creditMicro)}
    </span>
  );
}

const words: Readonly<Record<CreditKind, string>> = {
  grant: 'Added',
  withdrawal: 'Taken back',
  reserve: 'Held',
  charge: 'Used',
  release: 'Let go',
  expiry: 'Ended unused',
  refund: 'Given back',
  carried: 'Carried over from older lines',
};

function whatOf({ kind, deliveries, destination_id, reference }: CreditTransfer, names: Names): string {
  const some =
    deliveries === null ? '' : deliveries === 1 ? ' for one delivery' : ` for ${exactCount(deliveries)} deliveries`;
  const to =
    destination_id === null
      ? ''
      : `${kind === 'refund' ? ' that was refused later by ' : ' to '}${nameIn(names, destination_id)}`;
  const them = kind === 'refund' && deliveries !== 1 ? to.replace('was', 'were') : to;
  return `${words[kind]}${some}${them}${reference === null ? '' : `, ${reference}`}`;
}

const accountWords: Readonly<Record<CreditAccount, string>> = {
  available: 'Available',
  reserved: 'Held',
  consumed: 'Used',
  expired: 'Ended unused',
  granted: 'Where credits are added from',
  refunded: 'Where credits are given back from',
};

function Opened({ organisation, line }: { organisation: Here; line: CreditTransfer }) {
  const { answer, problem, reload, set } = useReading(
    useCallback(() => credits.transfer(organisation.id, line.id), [organisation.id, line.id]),
  );
  const [failure, setFailure] = useState<DeskError>();
  const more = async (story: NonNullable<typeof answer>) => {
    try {
      const next = await credits.transfer(organisation.id, line.id, story.next ?? undefined);
      set({ ...next, charges: [...story.charges, ...next.charges] });
    } catch (error) {
      setFailure(asDeskError(error));
    }
  };
  return (
    <div className="cr-opened">
      <table className="cr-lines">
        <caption className="vh">Lines of transfer {line.id}</caption>
        <tbody>
          {line.lines.map(({ account, amount }) => (
            <tr key={account}>
              <th scope="row">{accountWords[account]}</th>
              <td>
                <Amount micro={amount} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <div className="cr-for">
        {problem !== undefined ? (
          <Failed
            code={problem.code}
            message={problem.message}
            reference={problem.reference}
            onRetry={reload}
            what="The deliveries could not be read."
          />
        ) : answer === undefined ? (
          <p className="q">Reading…</p>
        ) : answer.charges.length === 0 ? (
          <p className="q2">{nobodyText(line)}</p>
        ) : (
          <>
            <ul>
              {answer.charges.map(({ delivery_id, conversion_id, is_refunded, amount }) => (
                <li key={delivery_id}>
                  <Link
                    className="link"
                    href={pathOf({ page: 'relay-inspector', site: organisation.site, conversion: conversion_id })}
                  >
                    Conversion <code className="ref">{shortId(conversion_id)}</code>
                  </Link>
                  {is_refunded && line.kind !== 'refund' && <span className="q"> given back later</span>}
                  {amount === 0 && <span className="q"> nothing was left to pay with</span>}
                </li>
              ))}
            </ul>
            {answer.next !== null && (
              <button type="button" className="btn sm" onClick={() => void more(answer)}>
                Show more
              </button>
            )}
          </>
        )}
        {failure !== undefined && (
          <p className="q2" role="alert">
            {failure.message}
          </p>
        )}
      </div>
      <p className="q cr-number">
        Transfer <code className="ref">{line.id}</code>, {secondText(line.at)}
      </p>
    </div>
  );
}

/** Why no delivery stands there. */
function nobodyText({ kind }: CreditTransfer): string {
  if (kind === 'refund') return 'Its platform said how many rows it refused, and not which.';
  if (kind === 'charge') return 'Which deliveries it was for is kept for two years.';
  if (kind === 'reserve' || kind === 'release')
    return 'Held while deliveries were being sent; what they cost is a line of its own.';
  return 'No delivery has to do with it.';
}
