import { useCallback, useEffect, useState } from 'react';
import type { DeletionPreview, DeletionQuestion, DeletionReceipt } from '../../../../contract/relay_reading.ts';
import { Dialog } from '../../controls/dialog.tsx';
import { FormError } from '../../controls/field.tsx';
import { Icon } from '../../controls/icons.tsx';
import { resting } from '../../controls/resting.ts';
import { TypedForm } from '../../controls/typed.tsx';
import { asDeskError, type DeskError } from '../../desk/api.ts';
import { useReading } from '../../desk/reading.ts';
import { momentText } from '../../edge/reader.ts';
import { counted, exactCount } from '../../numbers/format.ts';
import { relay } from './api.ts';
import type { Filters } from './filters.ts';
import type { Here } from './frame.tsx';

/** Deletes what the filters find, or everything: what goes, and what is left with platforms, is said before. */
export function Deletion({
  organisation,
  filters,
  onDone,
}: {
  organisation: Here;
  filters: Filters;
  onDone: () => void;
}) {
  const [isOpen, setOpen] = useState(false);
  const { search, ...filter } = filters;
  const isFilter = Object.keys(filter).length > 0;
  // A search names one or two: each is deleted where its story is.
  if (search !== undefined) return null;
  const question: DeletionQuestion = isFilter ? { filter: numbered(filter) } : { everything: true };
  return (
    <>
      <button type="button" className="btn sm" onClick={() => setOpen(true)}>
        {isFilter ? 'Delete these…' : 'Delete everything…'}
      </button>
      {isOpen && (
        <DeletionDialog
          organisation={organisation}
          question={question}
          title={isFilter ? 'Delete the conversions of this filter?' : 'Delete every conversion?'}
          onClose={() => setOpen(false)}
          onDone={onDone}
        />
      )}
    </>
  );
}

/** Numbers of the address are texts. */
function numbered(filters: Filters): NonNullable<DeletionQuestion['filter']> {
  return Object.fromEntries(
    Object.entries(filters).map(([name, value]) => [
      name,
      name === 'source' || name === 'destination' ? Number(value) : value,
    ]),
  );
}

export function DeletionDialog({
  organisation,
  question,
  title,
  onClose,
  onDone,
}: {
  organisation: Here;
  question: DeletionQuestion;
  title: string;
  onClose: () => void;
  onDone: () => void;
}) {
  const [preview, setPreview] = useState<DeletionPreview>();
  const [receipt, setReceipt] = useState<DeletionReceipt>();
  const [problem, setProblem] = useState<DeskError>();
  const [isSending, setSending] = useState(false);
  const text = JSON.stringify(question);
  useEffect(() => {
    relay
      .previewDeletion(organisation.id, JSON.parse(text))
      .then(setPreview, (error: unknown) => setProblem(asDeskError(error)));
  }, [organisation.id, text]);
  const remove = async () => {
    setSending(true);
    try {
      setReceipt(await relay.remove(organisation.id, question));
    } catch (error) {
      setProblem(asDeskError(error));
      throw error;
    } finally {
      setSending(false);
    }
  };
  const close = () => {
    onClose();
    if (receipt !== undefined) onDone();
  };
  return (
    <Dialog label={title} className="small" onClose={close}>
      <h2>{receipt === undefined ? title : `Receipt ${receipt.id}`}</h2>
      {receipt !== undefined ? (
        <>
          <p className="q2">
            {receipt.state === 'done'
              ? 'Deleted.'
              : 'A part is deleted; the rest goes by itself, and the figures of this receipt grow until it is done.'}{' '}
            It stands under the stream with the receipts before it.
          </p>
          <Counts counts={receipt} />
        </>
      ) : preview === undefined ? (
        <p className="q2" role="status">
          {problem === undefined ? 'Counting…' : ''}
        </p>
      ) : (
        <>
          <p className="q2">
            Facts, hashes, raw values with their keys, captured requests, and what was still to be sent. This cannot be
            taken back.
          </p>
          <Counts counts={preview} />
          {preview.delivered > 0 && (
            <p className="note">
              <Icon name="alert" />
              <span>
                {preview.delivered === 1 ? '1 is' : `${exactCount(preview.delivered)} are`} with platforms already and
                not taken back there:{' '}
                {preview.delivered_to
                  .map(({ name, count }) => `${name ?? 'a removed destination'} (${exactCount(count)})`)
                  .join(', ')}
                .
              </span>
            </p>
          )}
        </>
      )}
      <FormError message={problem?.message} reference={problem?.reference} />
      {receipt === undefined && question.everything === true && preview !== undefined && preview.conversions > 0 ? (
        <TypedForm
          wanted={organisation.slug}
          field="everything"
          act={isSending ? 'Deleting…' : `Delete ${counted(preview.conversions, 'conversion')}`}
          keep="Keep them"
          onTyped={remove}
          onClose={close}
        />
      ) : (
        <div className="editor-foot">
          {receipt === undefined && (
            <button
              type="button"
              className="btn danger"
              {...resting(isSending || preview === undefined || preview.conversions === 0)}
              onClick={() =>
                !isSending && preview !== undefined && preview.conversions > 0 && void remove().catch(() => {})
              }
            >
              {isSending
                ? 'Deleting…'
                : `Delete ${preview === undefined ? '' : exactCount(preview.conversions)} ${preview?.conversions === 1 ? 'conversion' : 'conversions'}`}
            </button>
          )}
          <button type="button" className="btn quiet" onClick={close}>
            {receipt !== undefined ? 'Close' : preview?.conversions === 1 ? 'Keep it' : 'Keep them'}
          </button>
        </div>
      )}
    </Dialog>
  );
}

function Counts({ counts }: { counts: Omit<DeletionPreview, 'delivered_to'> & { on_the_way?: number } }) {
  const rows: [string, number][] = [
    ['Conversions', counts.conversions],
    ['Tellings with their keys', counts.tellings],
    ['Captured requests with their keys', counts.captures],
    ['Deliveries', counts.deliveries],
    ['of which not sent yet', counts.unsent],
    ['of which with a platform', counts.delivered],
    ...((counts.on_the_way ?? 0) > 0 ? [['Dropped on their way in', counts.on_the_way] as [string, number]] : []),
    ...(counts.held > 0 ? [['Kept by a legal hold', counts.held] as [string, number]] : []),
  ];
  return (
    <dl className="re-counts">
      {rows.map(([name, count]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{exactCount(count)}</dd>
        </div>
      ))}
    </dl>
  );
}

const whatWords = { ids: 'Named conversions', filter: 'By a filter', everything: 'Everything' } as const;

/** What was deleted before, with how much. */
export function Receipts({ organisation, tick }: { organisation: Here; tick: number }) {
  const { answer } = useReading(
    // A deletion that was made a moment ago is in it.
    useCallback(() => (tick < 0 ? Promise.reject() : relay.deletions(organisation.id)), [organisation.id, tick]),
  );
  if (answer === undefined || answer.deletions.length === 0) return null;
  return (
    <details className="re-receipts">
      <summary>
        Receipts of deletions: {exactCount(answer.deletions.length)}
        {answer.deletions.some(({ state }) => state === 'running') && ', one is under way'}
      </summary>
      <div className="list re-table">
        <table>
          <thead>
            <tr>
              <th className="fill">Receipt</th>
              <th className="num">Conversions</th>
              <th className="num re-w">Deliveries</th>
              <th className="num re-w">With platforms</th>
              <th className="num">Held</th>
            </tr>
          </thead>
          <tbody>
            {answer.deletions.map((one) => (
              <tr key={one.id}>
                <td className="fill">
                  <span className="re-name">
                    {one.id}: {whatWords[one.what]}
                    {one.what === 'filter' &&
                      ` (${Object.entries(one.filter)
                        .map(([name, value]) => `${name} ${String(value)}`)
                        .join(', ')})`}
                  </span>
                  <span className="q re-under">
                    {momentText(one.asked_at)}
                    {one.state === 'running' ? ', under way' : ''}
                  </span>
                </td>
                <td className="num">{exactCount(one.conversions)}</td>
                <td className="num re-w">{exactCount(one.deliveries)}</td>
                <td className="num re-w">{exactCount(one.delivered)}</td>
                <td className="num">{exactCount(one.held)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
