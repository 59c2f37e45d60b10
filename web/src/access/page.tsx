import { type ReactNode, useCallback, useState } from 'react';
import { useAsk } from '../account/use_account.tsx';
import { AskFirst } from '../controls/ask_first.tsx';
import { ComingRows } from '../controls/coming.tsx';
import { FormError } from '../controls/field.tsx';
import { Glyph, Icon } from '../controls/icons.tsx';
import { resting } from '../controls/resting.ts';
import { type Reading, useReading } from '../desk/reading.ts';
import { may, type Organisation } from '../desk/session.tsx';
import { calendarDay, momentDay } from '../edge/reader.ts';
import { Empty, Failed } from '../overview/states.tsx';
import { TrustFrame } from '../trust/trust_frame.tsx';
import { type AccessReview, type AccessReviewAnswer, type AccessReviews, access, type Line } from './api.ts';
import { kinds, quarterWords, stateWords } from './words.ts';
import './access.css';

/** Who and what still has access, and should they? */
export function AccessPage({ organisation }: { organisation: Organisation }) {
  return (
    <TrustFrame organisation={organisation} title="Access review" what="the review of access" name="access">
      <Reviews organisation={organisation} />
    </TrustFrame>
  );
}

function Reviews({ organisation }: { organisation: Organisation }) {
  const { id } = organisation;
  const list = useReading(useCallback(() => access.list(id), [id]));
  const [begun, setBegun] = useState<AccessReviewAnswer>();
  if (list.answer === undefined) return <Instead of={list} />;
  const { reviews } = list.answer;
  const [newest] = reviews;
  if (newest === undefined && begun === undefined)
    return <NotBegun organisation={organisation} list={list.answer} onBegun={setBegun} />;
  const current = newest?.id ?? begun?.review.id ?? 0;
  return (
    <>
      <Current key={current} organisation={organisation} review={current} next={list.answer.next_on} first={begun} />
      {reviews.length > 1 && <Earlier organisation={organisation} reviews={reviews.slice(1)} />}
    </>
  );
}

function Instead<T>({ of }: { of: Reading<T> }) {
  return (
    <section className="panel" aria-label="Review of access" aria-busy={of.problem === undefined}>
      {of.problem === undefined ? (
        <ComingRows what="the review of access" rows={8} />
      ) : (
        <Failed
          code={of.problem.code}
          message={of.problem.message}
          reference={of.problem.reference}
          onRetry={of.reload}
          what="The review of access could not be read."
        />
      )}
    </section>
  );
}

function NotBegun({
  organisation,
  list,
  onBegun,
}: {
  organisation: Organisation;
  list: AccessReviews;
  onBegun: (answer: AccessReviewAnswer) => void;
}) {
  const { asking, refusal, ask } = useAsk();
  async function begin() {
    const begun = await ask(() => access.begin(organisation.id));
    if (begun !== undefined) onBegun(begun.answer);
  }
  return (
    <section className="panel" aria-label="Review of access">
      <Empty
        title="No review has begun yet."
        action={
          may(organisation, 'policy.manage') ? (
            <button type="button" className="btn main-act" {...resting(asking)} onClick={() => asking || void begin()}>
              Begin that of {quarterWords(list.quarter)}
            </button>
          ) : undefined
        }
      >
        The first begins by itself on {calendarDay(list.next_on)}, and each quarter from then on.
      </Empty>
      <FormError message={refusal?.message} reference={refusal?.reference} />
    </section>
  );
}

function Current({
  organisation,
  review: id,
  next,
  first,
}: {
  organisation: Organisation;
  review: number;
  next: string;
  first: AccessReviewAnswer | undefined;
}) {
  const reading = useReading(
    useCallback(
      () => (first === undefined ? access.read(organisation.id, id) : Promise.resolve(first)),
      [organisation.id, id, first],
    ),
  );
  const { asking, refusal, ask } = useAsk();
  const [removing, setRemoving] = useState<Line>();
  const { answer } = reading;
  if (answer === undefined) return <Instead of={reading} />;
  const { review, lines } = answer;
  const decides = may(organisation, 'policy.manage');
  async function confirm(of: readonly Line[]) {
    const decided = await ask(() => access.decide(organisation.id, id, of, 'confirmed'));
    if (decided !== undefined) reading.set(decided.answer);
  }
  const none = kinds.filter(({ kind }) => !lines.some((line) => line.kind === kind)).map((one) => one.none);
  return (
    <>
      <section className="panel ac-lead" aria-labelledby="review">
        <div>
          <h2 id="review">
            {quarterWords(review.quarter)}: {leftWords(answer)}
          </h2>
          <p className="q2">
            <ReviewState review={review} />
            {review.done_at === null
              ? ` Due by ${calendarDay(review.due_on)}. Each decision counts at once and stays as it was made.`
              : ` Done on ${momentDay(review.done_at)}. The next begins on ${calendarDay(next)}.`}
          </p>
          {!decides && <p className="q2">Owners and privacy officers decide.</p>}
        </div>
        <button type="button" className="btn no-print" onClick={() => window.print()}>
          Print
        </button>
      </section>
      <FormError message={refusal?.message} reference={refusal?.reference} />
      {kinds.map(({ kind, title }) => {
        const of = lines.filter((line) => line.kind === kind);
        return of.length === 0 ? null : (
          <Lines key={kind} title={title} lines={of} decides={decides}>
            {(line, isAll) =>
              isAll ? (
                <button
                  type="button"
                  className="btn sm"
                  {...resting(asking)}
                  onClick={() => asking || void confirm(of.filter(isOpen))}
                >
                  Confirm all {of.filter(isOpen).length}
                  <span className="vh"> of {title}</span>
                </button>
              ) : (
                <>
                  {line.confirmed === null && (
                    <button
                      type="button"
                      className="btn sm"
                      {...resting(asking)}
                      onClick={() => asking || void confirm([line])}
                    >
                      Confirm<span className="vh"> {line.label}</span>
                    </button>
                  )}
                  {line.may_remove && (
                    <button type="button" className="btn sm quiet" onClick={() => setRemoving(line)}>
                      Remove<span className="vh"> {line.label}</span>
                    </button>
                  )}
                </>
              )
            }
          </Lines>
        );
      })}
      {none.length > 0 && <p className="ac-none q2">There are {listWords(none)}.</p>}
      <Decisions answer={answer} />
      {removing !== undefined && (
        <AskFirst
          title={`Remove ${removing.label}?`}
          act="Remove"
          onAct={async () => {
            reading.set(await access.decide(organisation.id, id, [removing], 'removed'));
            setRemoving(undefined);
          }}
          onClose={() => setRemoving(undefined)}
        >
          {kinds.find(({ kind }) => kind === removing.kind)?.removing}
        </AskFirst>
      )}
    </>
  );
}

const isOpen = ({ confirmed }: Line) => confirmed === null;

function leftWords({ lines, review }: AccessReviewAnswer): string {
  const left = lines.filter(isOpen).length;
  if (left === 0) return `all ${lines.length} confirmed`;
  return review.done_at === null ? `${left} of ${lines.length} left` : `${left} came or changed since it was done`;
}

function listWords(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

function ReviewState({ review }: { review: AccessReview }) {
  const [state, word] = stateWords[review.state];
  return (
    <span className={`st ${state === 'idle' ? 'quiet' : state}`}>
      <Glyph state={state} />
      {word}
    </span>
  );
}

function Lines({
  title,
  lines,
  decides,
  children,
}: {
  title: string;
  lines: readonly Line[];
  decides: boolean;
  children: (line: Line, isAll: boolean) => ReactNode;
}) {
  const open = lines.filter(isOpen);
  const used = lines.some((line) => line.last_used !== undefined);
  return (
    <section className="panel ac-lines" aria-label={title}>
      <div className="ac-head">
        <h2>
          {title}{' '}
          <span className="q">{open.length === 0 ? lines.length : `${open.length} of ${lines.length} left`}</span>
        </h2>
        {decides && open.length > 1 && <span className="no-print">{children(lines[0] as Line, true)}</span>}
      </div>
      <div className="list many">
        <table>
          <thead>
            <tr>
              <th scope="col">Who or what</th>
              <th scope="col" className="gives">
                What it gives
              </th>
              <th scope="col">Since</th>
              {used && <th scope="col">Last used</th>}
              <th scope="col" className="decision">
                Decision
              </th>
              {decides && (
                <th scope="col" className="acts no-print">
                  <span className="vh">Actions</span>
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {[...open, ...lines.filter((line) => !isOpen(line))].map((line) => (
              <tr key={line.id}>
                <td className="some">
                  <b>{line.label}</b>
                </td>
                <td className="some" data-head="What it gives">
                  {line.gives}
                </td>
                <td data-head="Since">{calendarDay(line.since)}</td>
                {used && (
                  <td data-head="Last used">{line.last_used == null ? 'never' : calendarDay(line.last_used)}</td>
                )}
                <td className="some" data-head="Decision">
                  {line.confirmed === null ? (
                    <span className="q2">{line.has_changed ? 'changed since it was confirmed' : 'open'}</span>
                  ) : (
                    <span className="st ok">
                      <Glyph state="ok" />
                      {byWords(line.confirmed)}
                    </span>
                  )}
                </td>
                {decides && <td className="acts no-print">{children(line, false)}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function byWords({ by, at }: { by: { id: number; name: string | null }; at: string }): string {
  return `${by.name ?? `person ${by.id}`}, ${momentDay(at)}`;
}

/** Everything that was decided in one review, as it was then. */
function Decisions({ answer: { decisions } }: { answer: AccessReviewAnswer }) {
  if (decisions.length === 0) return null;
  return (
    <section className="panel ac-log" aria-label="Decisions">
      <details>
        <summary className="opens">
          <b>What was decided</b> <span className="q">{decisions.length}</span>
          <Icon name="right" />
        </summary>
        <DecisionList decisions={decisions} />
      </details>
    </section>
  );
}

function DecisionList({ decisions }: { decisions: AccessReviewAnswer['decisions'] }) {
  return (
    <ul>
      {decisions.map((one) => (
        <li key={one.id}>
          <span className={`st ${one.decision === 'removed' ? 'bad' : 'ok'}`}>
            <Glyph state={one.decision === 'removed' ? 'bad' : 'ok'} />
            {one.decision}
          </span>
          <span>
            {one.label ?? `${one.kind} ${one.of}`} <span className="q2">{one.gives}</span>
          </span>
          <span className="q2">{byWords(one)}</span>
        </li>
      ))}
    </ul>
  );
}

function Earlier({ organisation, reviews }: { organisation: Organisation; reviews: readonly AccessReview[] }) {
  return (
    <section className="panel ac-log" aria-labelledby="earlier">
      <h2 id="earlier">Earlier reviews</h2>
      {reviews.map((review) => (
        <Past key={review.id} organisation={organisation} review={review} />
      ))}
    </section>
  );
}

function Past({ organisation, review }: { organisation: Organisation; review: AccessReview }) {
  const [answer, setAnswer] = useState<AccessReviewAnswer>();
  const { refusal, ask } = useAsk();
  async function open(isIt: boolean) {
    if (!isIt || answer !== undefined) return;
    const read = await ask(() => access.read(organisation.id, review.id));
    if (read !== undefined) setAnswer(read.answer);
  }
  return (
    <details
      data-later={answer === undefined ? '' : undefined}
      onToggle={({ currentTarget }) => void open(currentTarget.open)}
    >
      <summary className="opens">
        <b>{quarterWords(review.quarter)}</b>
        <ReviewState review={review} />
        <span className="q2">
          {review.confirmed} confirmed, {review.removed} removed
        </span>
        <Icon name="right" />
      </summary>
      <FormError message={refusal?.message} reference={refusal?.reference} />
      {answer !== undefined &&
        (answer.decisions.length === 0 ? (
          <p className="ac-none q2">Nothing was decided in it.</p>
        ) : (
          <DecisionList decisions={answer.decisions} />
        ))}
    </details>
  );
}
