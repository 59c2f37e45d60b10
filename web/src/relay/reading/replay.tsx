import { useEffect, useState } from 'react';
import type { ConversionStory, StoryDelivery } from '../../../../contract/relay_reading.ts';
import { Dialog } from '../../controls/dialog.tsx';
import { FormError } from '../../controls/field.tsx';
import { resting } from '../../controls/resting.ts';
import { asDeskError, type DeskError } from '../../desk/api.ts';
import { exactCount } from '../../numbers/format.ts';
import { type ReplayChoice, type ReplayPreview, relay } from './api.ts';
import type { Here } from './frame.tsx';
import { reasonText, StateGlyph, stateWords } from './words.tsx';

/** Deliveries of one conversion that may go again: what somebody said no to never does. */
const mayGoAgain = ({ state }: Pick<StoryDelivery, 'state'>) =>
  state === 'dead' || state === 'cancelled' || state === 'accepted';

export function canReplay(deliveries: readonly StoryDelivery[]): boolean {
  return deliveries.some((one) => mayGoAgain(one) && one.destination.name !== null);
}

/** Sends deliveries of one conversion again: which ones is chosen, and what their platforms would call too old is said before. */
export function ReplayOfConversion({
  organisation,
  story,
  only,
  onClose,
  onDone,
}: {
  organisation: Here;
  story: ConversionStory;
  /** The one whose button was pressed; absent: what did not get through. */
  only: number | undefined;
  onClose: () => void;
  onDone: () => void;
}) {
  const [chosen, setChosen] = useState<readonly number[]>(() =>
    only === undefined
      ? story.deliveries.filter(({ state }) => state === 'dead' || state === 'cancelled').map(({ id }) => id)
      : [only],
  );
  const toggle = (id: number) => setChosen(chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id]);
  return (
    <ReplayDialog
      organisation={organisation}
      title="Send it again?"
      choice={chosen.length === 0 ? undefined : { ids: [...chosen] }}
      names={new Map(story.deliveries.map(({ destination: { id, name } }) => [id, name ?? `destination ${id}`]))}
      onClose={onClose}
      onDone={onDone}
    >
      <fieldset className="re-choose">
        <legend className="vh">To which destinations</legend>
        {story.deliveries.map((one) => {
          const isAble = mayGoAgain(one) && one.destination.name !== null;
          return (
            <label key={one.id} className={isAble ? '' : 'q'}>
              <input
                type="checkbox"
                disabled={!isAble}
                checked={chosen.includes(one.id)}
                onChange={() => toggle(one.id)}
              />
              <StateGlyph state={one.state} />
              <span>
                {one.destination.name ?? `destination ${one.destination.id}`}, {stateWords[one.state].toLowerCase()}
                {isAble ? '' : one.state === 'withheld' ? ': never goes again, consent is missing' : ''}
              </span>
            </label>
          );
        })}
      </fieldset>
    </ReplayDialog>
  );
}

/** Says before how many go again and how many stay as too old, and afterwards what was done. */
export function ReplayDialog({
  organisation,
  title,
  choice,
  names,
  onClose,
  onDone,
  children,
}: {
  organisation: Here;
  title: string;
  /** Undefined while nothing is chosen. */
  choice: ReplayChoice | undefined;
  /** Of destinations, by their numbers. */
  names: ReadonlyMap<number, string>;
  onClose: () => void;
  /** Something was sent again, and the dialog is closed. */
  onDone: () => void;
  children?: React.ReactNode;
}) {
  const [preview, setPreview] = useState<ReplayPreview>();
  const [result, setResult] = useState<Awaited<ReturnType<typeof relay.replay>>>();
  const [problem, setProblem] = useState<DeskError>();
  const [isSending, setSending] = useState(false);
  const text = choice === undefined ? '' : JSON.stringify(choice);
  useEffect(() => {
    setPreview(undefined);
    if (text === '') return;
    let isOver = false;
    relay.previewReplay(organisation.id, JSON.parse(text)).then(
      (next) => !isOver && setPreview(next),
      (error: unknown) => !isOver && setProblem(asDeskError(error)),
    );
    return () => {
      isOver = true;
    };
  }, [organisation.id, text]);
  const close = () => {
    onClose();
    if (result !== undefined) onDone();
  };
  const send = async () => {
    if (choice === undefined || isSending) return;
    setSending(true);
    setProblem(undefined);
    try {
      setResult(await relay.replay(organisation.id, choice));
    } catch (error) {
      setProblem(asDeskError(error));
    } finally {
      setSending(false);
    }
  };
  const count = preview?.deliveries ?? 0;
  return (
    <Dialog label={title} className="small" onClose={close}>
      <h2>{result === undefined ? title : 'Sent again'}</h2>
      {result === undefined ? (
        <>
          {children}
          <p className="q2" role="status">
            {text === '' ? 'Choose at least one.' : preview === undefined ? '…' : previewText(preview)}
          </p>
          {preview !== undefined && preview.by_destination.length > 1 && (
            <ul className="re-reasons">
              {preview.by_destination.map((one) => (
                <li key={one.destination_id}>
                  <span>
                    {names.get(one.destination_id) ?? `destination ${one.destination_id}`}:{' '}
                    {one.deliveries === 0 ? 'none' : exactCount(one.deliveries)}
                    {one.too_old === 0 ? '' : `, ${exactCount(one.too_old)} too old`}
                  </span>
                </li>
              ))}
            </ul>
          )}
          {preview !== undefined && preview.aside.length > 0 && <Aside preview={preview} names={names} />}
          <p className="help">
            Each goes under the id that its platform knows it by, so what is there already counts once. A destination
            that is paused keeps it in its queue.
          </p>
        </>
      ) : (
        <p className="q2" role="status">
          {result.deliveries === 0
            ? 'Nothing was sent again.'
            : `${exactCount(result.deliveries)} ${result.deliveries === 1 ? 'is' : 'are'} on the way.`}{' '}
          {result.too_old > 0 &&
            `${exactCount(result.too_old)} ${result.too_old === 1 ? 'was' : 'were'} too old and ${result.too_old === 1 ? 'stays' : 'stay'} as before.`}{' '}
          {!result.is_all && 'There are more than one replay takes: replay the rest.'}
        </p>
      )}
      <FormError message={problem?.message} reference={problem?.reference} />
      <div className="editor-foot">
        {result === undefined && (
          <button
            type="button"
            className="btn main-act"
            {...(count === 0 || isSending ? resting(true) : { onClick: () => void send() })}
          >
            {isSending ? 'Sending…' : count === 0 ? 'Replay' : `Replay ${exactCount(count)}`}
          </button>
        )}
        <button type="button" className="btn quiet" onClick={close}>
          {result === undefined ? 'Cancel' : 'Close'}
        </button>
      </div>
    </Dialog>
  );
}

/** Rows of it at most; what is left is counted. */
const asideShownMax = 6;

/** What of those that are tried again would not be sent, and why: the same no as before would meet them. */
function Aside({ preview, names }: { preview: ReplayPreview; names: ReadonlyMap<number, string> }) {
  const { aside, deliveries, looked_at } = preview;
  const sum = aside.reduce((total, one) => total + one.deliveries, 0);
  const more = aside.slice(asideShownMax).reduce((total, one) => total + one.deliveries, 0);
  return (
    <>
      <p className="q2">
        {looked_at < deliveries ? `Of the first ${exactCount(looked_at)} of them, ` : 'Of them, '}
        {exactCount(sum)} would not be sent as things are now:
      </p>
      <ul className="re-reasons">
        {aside.slice(0, asideShownMax).map((one) => (
          <li key={JSON.stringify(one)}>
            <StateGlyph state={one.state} />
            <span>
              {exactCount(one.deliveries)}
              {preview.by_destination.length > 1 &&
                ` to ${names.get(one.destination_id) ?? `destination ${one.destination_id}`},`}{' '}
              {one.state === 'withheld' ? 'withheld' : 'set aside again'}: {reasonText(one.reason)}
              {one.field !== null && one.state === 'dead' && ` (${one.field})`}
            </span>
          </li>
        ))}
        {more > 0 && (
          <li>
            <span>{exactCount(more)} for other reasons</span>
          </li>
        )}
      </ul>
    </>
  );
}

function previewText({ deliveries, too_old }: ReplayPreview): string {
  const old =
    too_old === 0
      ? ''
      : ` ${exactCount(too_old)} ${too_old === 1 ? 'is' : 'are'} older than the platform takes and ${too_old === 1 ? 'stays' : 'stay'}.`;
  if (deliveries === 0) return `None of them can go again.${old}`;
  return `${exactCount(deliveries)} ${deliveries === 1 ? 'goes' : 'go'} again.${old}`;
}
