import { type ReactNode, useCallback, useState } from 'react';
import type { ConversionStory, StoryDelivery } from '../../../../contract/relay_reading.ts';
import { Link } from '../../address/navigate.tsx';
import { pathOf } from '../../address/route.ts';
import { ComingRows } from '../../controls/coming.tsx';
import { CopyButton } from '../../controls/copy.tsx';
import { Fact } from '../../controls/fact.tsx';
import { Icon } from '../../controls/icons.tsx';
import { Popover } from '../../controls/popover.tsx';
import { useReading } from '../../desk/reading.ts';
import { may } from '../../desk/session.tsx';
import { origin } from '../../edge/browser.ts';
import { momentDay, momentText, secondText } from '../../edge/reader.ts';
import { bytes, exactCount, milliseconds } from '../../numbers/format.ts';
import { Empty, Failed } from '../../overview/states.tsx';
import { relay } from './api.ts';
import { Captured } from './captured.tsx';
import { DeletionDialog } from './deletion.tsx';
import type { Here } from './frame.tsx';
import { canReplay, ReplayOfConversion } from './replay.tsx';
import {
  browserWords,
  eventText,
  identifiersText,
  reasonText,
  regionWords,
  StateGlyph,
  shortId,
  stateWords,
  toneOf,
  valueText,
} from './words.tsx';

/** One conversion: what came in, and what became of it, step by step. */
export function StoryPane({
  organisation,
  id,
  back,
  onGone,
}: {
  organisation: Here;
  id: string;
  back: string;
  onGone: () => void;
}) {
  const { answer, problem, reload } = useReading(
    useCallback(() => relay.story(organisation.id, id), [organisation.id, id]),
  );
  return (
    <>
      <Link className="btn sm only-m re-back" href={back}>
        <Icon name="back" />
        Conversions
      </Link>
      {problem?.code === 'not_found' ? (
        <Empty title="There is no conversion with this id here.">
          It may belong to another organisation, or was deleted.
        </Empty>
      ) : problem !== undefined ? (
        <Failed
          code={problem.code}
          message={problem.message}
          reference={problem.reference}
          onRetry={reload}
          what="Its story could not be read."
        />
      ) : answer === undefined ? (
        <ComingRows what="its story" rows={9} />
      ) : (
        <Story organisation={organisation} story={answer} reload={reload} onGone={onGone} />
      )}
    </>
  );
}

function Story({
  organisation,
  story,
  reload,
  onGone,
}: {
  organisation: Here;
  story: ConversionStory;
  reload: () => void;
  onGone: () => void;
}) {
  const [isDeleting, setDeleting] = useState(false);
  /** All of them, or the one whose button was pressed. */
  const [replaying, setReplaying] = useState<{ only: number | undefined }>();
  const mayManage = may(organisation, 'relay.manage');
  const link = origin() + pathOf({ page: 'relay-inspector', site: organisation.site, conversion: story.id });
  return (
    <>
      <article className="re-story">
        <header>
          <div>
            <h2>
              {eventText(story.event_name)}{' '}
              <span className="q2">{valueText(story.value, story.currency, story.facts.refund)}</span>
            </h2>
            <p className="q2">{outcomeOf(story)}</p>
          </div>
          <div className="re-acts">
            {mayManage && canReplay(story.deliveries) && (
              <button type="button" className="btn sm" onClick={() => setReplaying({ only: undefined })}>
                <Icon name="play" />
                Replay…
              </button>
            )}
            <CopyButton text={link} label="Copy link" />
            {mayManage ? (
              <More onReload={reload} onDelete={() => setDeleting(true)} />
            ) : (
              <button type="button" className="btn sm" onClick={reload}>
                Look again
              </button>
            )}
          </div>
        </header>
        <Facts story={story} site={organisation.site} />
        <h3 id="came-in">What came in</h3>
        <ol className="re-steps" aria-labelledby="came-in">
          {story.tellings.map((telling, at) => (
            <Telling key={telling.id} organisation={organisation} story={story} telling={telling} isFirst={at === 0} />
          ))}
          <Understood story={story} />
          <Identifiers story={story} />
          <Consent story={story} />
        </ol>
        <h3 id="became">What became of it</h3>
        {story.deliveries.length === 0 ? (
          <p className="q2">No route of its source takes it, so nothing was to be sent.</p>
        ) : (
          <ol className="re-steps" aria-labelledby="became">
            {story.deliveries.map((delivery) => (
              <Delivery
                key={delivery.id}
                story={story}
                delivery={delivery}
                onReplay={mayManage && canReplay([delivery]) ? () => setReplaying({ only: delivery.id }) : undefined}
              />
            ))}
          </ol>
        )}
      </article>
      {replaying !== undefined && (
        <ReplayOfConversion
          organisation={organisation}
          story={story}
          only={replaying.only}
          onClose={() => setReplaying(undefined)}
          onDone={reload}
        />
      )}
      {isDeleting && (
        <DeletionDialog
          organisation={organisation}
          question={{ ids: [story.id] }}
          title="Delete this conversion?"
          onClose={() => setDeleting(false)}
          onDone={onGone}
        />
      )}
    </>
  );
}

/** What is done less often. Copying stands outside: it says in its own place that it is done. */
function More({ onReload, onDelete }: { onReload: () => void; onDelete: () => void }) {
  const [open, setOpen] = useState(false);
  const actions = [
    { words: 'Look again', act: onReload },
    { words: 'Delete…', act: onDelete },
  ];
  return (
    <Popover
      label="More about this conversion"
      align="end"
      width={200}
      open={open}
      onOpenChange={setOpen}
      button={(button) => (
        <button type="button" className="btn icon sm more" aria-label="More about this conversion" {...button}>
          <Icon name="more" />
        </button>
      )}
    >
      {(close) => (
        <ul className="choices">
          {actions.map(({ words, act }) => (
            <li key={words}>
              <button
                type="button"
                className="choice"
                onClick={() => {
                  close();
                  act();
                }}
              >
                {words}
              </button>
            </li>
          ))}
        </ul>
      )}
    </Popover>
  );
}

/** One sentence that says how it ended, the bad first. */
function outcomeOf({ deliveries, is_restricted }: ConversionStory): string {
  if (deliveries.length === 0) return 'On no route: it was kept and sent nowhere.';
  const words = (['dead', 'withheld', 'held', 'waiting', 'sending', 'accepted', 'cancelled'] as const).flatMap(
    (state) => {
      const some = deliveries.filter((one) => one.state === state);
      return some.length === 0 ? [] : [`${stateWords[state]}: ${some.map(nameOf).join('; ')}.`];
    },
  );
  return [...words, ...(is_restricted ? ['The data of this person is restricted.'] : [])].join(' ');
}

const nameOf = ({ destination }: Pick<StoryDelivery, 'destination'>) =>
  destination.name ?? `destination ${destination.id}`;

function Facts({ story, site }: { story: ConversionStory; site: string }) {
  const ids = Object.entries(story.facts.click_ids ?? {});
  // That of a click, before what a pixel calls the browser.
  const click = ids.find(([name]) => !['fbp', 'ttp'].includes(name)) ?? ids[0];
  const utm = story.facts.utm;
  return (
    <dl className="re-facts">
      <Fact name="Occurred">
        <time dateTime={story.occurred_at}>{secondText(story.occurred_at)}</time>
      </Fact>
      <Fact name="Order">{story.order_id === null ? '–' : <code className="ref">{story.order_id}</code>}</Fact>
      <Fact name="Source">
        {story.source.name === null ? (
          'deleted'
        ) : (
          <Link className="link" href={pathOf({ page: 'relay-source', site, source: story.source.id })}>
            {story.source.name}
          </Link>
        )}
      </Fact>
      <Fact name="Came from">
        {utm === undefined ? '–' : [utm.medium, utm.source].filter(Boolean).join(', ') || '–'}
      </Fact>
      <Fact name="Conversion id">
        <code className="ref" title={story.id}>
          {shortId(story.id)}
        </code>
      </Fact>
      <Fact name="Click id">
        {click === undefined ? (
          '–'
        ) : (
          <code className="ref" title={click[1]}>
            {click[0]} {shortId(click[1] ?? '')}
          </code>
        )}
      </Fact>
      <Fact name="Site">{story.site?.domain ?? '–'}</Fact>
      <Fact name="Told">{story.doubles === 0 ? 'once' : `${exactCount(story.doubles + 1)} times`}</Fact>
    </dl>
  );
}

/** A step on one line that opens in its place. Problems are open by themselves. */
function Step({
  glyph,
  title,
  words,
  at,
  open = false,
  children,
}: {
  glyph: ReactNode;
  title: ReactNode;
  words: ReactNode;
  at: ReactNode;
  open?: boolean;
  children: ReactNode;
}) {
  const [isOpen, setOpen] = useState(open);
  return (
    <li className="re-step">
      <span className="re-nd">{glyph}</span>
      <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <b>{title}</b>
          <span className="re-sm">{words}</span>
          <span className="re-at">{at}</span>
          <Icon name={isOpen ? 'down' : 'right'} />
        </summary>
        {/* What is read when it is opened is not read before. */}
        {isOpen && <div className="re-bd">{children}</div>}
      </details>
    </li>
  );
}

const done = <StateGlyph state="accepted" />;

function offsetOf(from: string, iso: string | null): string {
  if (iso === null) return '';
  const ms = Date.parse(iso) - Date.parse(from);
  return ms < 0 ? '' : ms === 0 ? '+0 ms' : `+${milliseconds(ms)}`;
}

function At({ from, iso }: { from: string; iso: string | null }) {
  return iso === null ? null : (
    <time dateTime={iso} title={secondText(iso)}>
      {offsetOf(from, iso)}
    </time>
  );
}

function Telling({
  organisation,
  story,
  telling,
  isFirst,
}: {
  organisation: Here;
  story: ConversionStory;
  telling: ConversionStory['tellings'][number];
  isFirst: boolean;
}) {
  const { request } = telling;
  const words = [
    telling.source.name ?? 'a source that was deleted',
    ...(request === null
      ? []
      : [
          `${request.method} ${request.content_type} ${bytes(request.bytes)}`.replaceAll('  ', ' '),
          `answered ${request.status} in ${milliseconds(request.ms)}`,
        ]),
  ].join(' · ');
  return (
    <Step
      glyph={done}
      title={isFirst ? 'Captured' : 'Told again'}
      words={words}
      at={
        isFirst ? (
          <time dateTime={telling.received_at}>{secondText(telling.received_at)}</time>
        ) : (
          <At from={story.received_at} iso={telling.received_at} />
        )
      }
    >
      <p className="q2">
        {telling.present.length === 0
          ? 'It brought no identifier.'
          : `It brought: ${identifiersText(telling.present)}.`}{' '}
        {request === null && 'Its line of the intake log is gone, or cannot be read now. '}
        <Link
          className="link"
          href={`${pathOf({ page: 'relay-requests', site: organisation.site })}?request=${telling.request_id}`}
        >
          Request {shortId(telling.request_id)}
        </Link>
      </p>
      {telling.has_capture ? (
        <Captured organisation={organisation} id={telling.request_id} />
      ) : (
        <p className="q">
          The request itself is not kept any more: the last 50 of a source are, for seven days at most.
        </p>
      )}
    </Step>
  );
}

function Understood({ story }: { story: ConversionStory }) {
  const fields = Object.keys(story.facts).length;
  return (
    <Step
      glyph={done}
      title="Mapped"
      words={`${story.mapping_version === 0 ? `Preset ${story.source.preset ?? ''}` : `Mapping version ${story.mapping_version}`} · ${fields} fields filled`}
      at=""
    >
      <Code title="Canonical conversion, without its person" value={story.facts} />
    </Step>
  );
}

function Identifiers({ story }: { story: ConversionStory }) {
  const { raw, present } = story;
  const kept = raw.is_kept
    ? raw.until === null
      ? `raw values sealed until ${raw.days} days after the last delivery`
      : `raw values sealed until ${momentDay(raw.until)}`
    : 'no raw value is kept';
  return (
    <Step
      glyph={present.length === 0 ? <StateGlyph state="cancelled" /> : done}
      title="Identifiers"
      words={present.length === 0 ? 'None came with it' : `${identifiersText(present)} · ${kept}`}
      at=""
    >
      <p className="q2">
        Hashed for each platform when it came, and sealed. Values are shown nowhere; {kept}. A platform’s own score is
        not known here.
      </p>
    </Step>
  );
}

function Consent({ story }: { story: ConversionStory }) {
  const said = (name: string) => (story.consent[name] as string | undefined) ?? 'nothing said';
  const isDenied = story.deliveries.some(({ reason }) => reason?.startsWith('consent_') === true);
  return (
    <Step
      glyph={isDenied ? <StateGlyph state="withheld" /> : done}
      title="Consent read"
      words={`Ad user data: ${said('ad_user_data')} · ad personalisation: ${said('ad_personalization')}`}
      at=""
    >
      <p className="q2">This person is {regionWords[story.region]}.</p>
      <ul className="re-reasons">
        {story.deliveries.map((delivery) => (
          <li key={delivery.id}>
            <StateGlyph state={delivery.reason?.startsWith('consent_') === true ? 'withheld' : 'accepted'} />
            {nameOf(delivery)}{' '}
            {delivery.purposes.length === 0
              ? 'asks for no consent.'
              : `needs ${delivery.purposes.map(({ purpose, said: word }) => `${purpose.replaceAll('_', ' ')} (${word === 'unknown' ? 'nothing said' : word})`).join(', ')}.`}
          </li>
        ))}
      </ul>
    </Step>
  );
}

function Delivery({
  story,
  delivery,
  onReplay,
}: {
  story: ConversionStory;
  delivery: StoryDelivery;
  onReplay: (() => void) | undefined;
}) {
  const { state, reason, attempts } = delivery;
  const last = attempts.at(-1);
  const words = [
    ...(delivery.attempt_count > 0
      ? [`${exactCount(delivery.attempt_count)} ${delivery.attempt_count === 1 ? 'attempt' : 'attempts'}`]
      : []),
    ...(reason === null ? [] : [reasonText(reason)]),
    ...(delivery.field === null ? [] : [delivery.field]),
    ...(state === 'accepted' && last?.ms != null ? [milliseconds(last.ms)] : []),
    ...(delivery.is_test ? ['sent as a test'] : []),
    ...(delivery.replays > 0
      ? [delivery.replays === 1 ? 'replayed once' : `replayed ${exactCount(delivery.replays)} times`]
      : []),
    ...(delivery.platform_result === null ? [] : [delivery.platform_result]),
  ].join(' · ');
  return (
    <Step
      glyph={<StateGlyph state={state} />}
      title={nameOf(delivery)}
      words={
        <>
          <span className={`re-st ${toneOf[state]}`}>{stateWords[state]}</span> {words}
        </>
      }
      at={<At from={story.received_at} iso={delivery.settled_at} />}
      open={state === 'dead'}
    >
      <div className="re-why">
        <p className="q2">{whyOf(delivery)}</p>
        {onReplay !== undefined && (
          <button type="button" className="btn sm" aria-label={`Send again… to ${nameOf(delivery)}`} onClick={onReplay}>
            Send again…
          </button>
        )}
      </div>
      <dl className="re-facts">
        <Fact name="Known there as">
          <code className="ref">{delivery.platform_id}</code>
        </Fact>
        <Fact name="Sent as">{delivery.platform_event ?? 'its own event'}</Fact>
        <Fact name="Value sent">{valueText(delivery.value, story.currency) || '–'}</Fact>
        <Fact name="Platform">{delivery.destination.label ?? 'removed'}</Fact>
        {delivery.browser !== null && (
          <Fact name="Browser’s event">
            {browserWords[delivery.browser]}
            {delivery.browser !== 'same' && `, looked for: ${delivery.browser_event}`}
          </Fact>
        )}
      </dl>
      {attempts.length > 0 && <Attempts attempts={attempts} />}
      {delivery.attempt_count > attempts.length && (
        <p className="q">Attempts are kept for 90 days, and the newest hundred are shown.</p>
      )}
      <div className="re-two">
        {delivery.request === null ? (
          <p className="q2">
            No request can be made of it: {reasonText(delivery.no_request?.reason)} ({delivery.no_request?.field}).
          </p>
        ) : (
          <Code
            title="Request, made anew and redacted"
            head={`${delivery.request.method} ${delivery.request.url}`}
            value={delivery.request.body}
          />
        )}
        <div>
          {attempts
            .filter(({ answer }) => answer !== null && answer !== '')
            .slice(-3)
            .map((one) => (
              <Code
                key={one.id}
                title={`Answer of ${secondText(one.sent_at)}, redacted`}
                head={String(one.status)}
                text={pretty(one.answer ?? '')}
              />
            ))}
          {last?.result != null && <Code title="Platform result, read later" text={last.result} />}
        </div>
      </div>
    </Step>
  );
}

/** Which rule it was, what it waits for, and when that goes on or ends. */
function whyOf(delivery: StoryDelivery): string {
  const { state, reason, field } = delivery;
  switch (state) {
    case 'accepted':
      return `The platform accepted it ${momentText(delivery.settled_at)}.`;
    case 'withheld':
      return `Nothing was sent: ${reasonText(reason)}${field === null ? '' : ` (${field})`}.`;
    case 'dead':
      return `It will not be tried again: ${reasonText(reason)}${field === null ? '' : ` (${field})`}. It stands among the dead letters.`;
    case 'held':
      return 'Its route holds each until somebody lets it go.';
    case 'sending':
      return 'It is in a request at this moment.';
    case 'cancelled':
      return `It was taken off the queue: ${reasonText(reason)}.`;
    case 'waiting':
      if (delivery.waits_for !== null) return 'It waits for the conversion that it takes back or restates.';
      return [
        ...(reason === null ? [] : [`Last time: ${reasonText(reason)}.`]),
        `Goes on ${momentText(delivery.next_at)}.`,
        ...(delivery.gives_up_at === null ? [] : [`Gives up ${momentText(delivery.gives_up_at)}.`]),
      ].join(' ');
  }
}

function Attempts({ attempts }: { attempts: StoryDelivery['attempts'] }) {
  return (
    <div className="re-attempts">
      <table>
        <thead>
          <tr>
            <th>Attempt</th>
            <th className="re-w">Sent</th>
            <th>Answer</th>
            <th>Class</th>
            <th className="num re-w">In the request</th>
            <th className="num">Took</th>
          </tr>
        </thead>
        <tbody>
          {attempts.map((one, at) => (
            <tr key={one.id}>
              <td>{at + 1}</td>
              <td className="re-w">
                <time dateTime={one.sent_at}>{secondText(one.sent_at)}</time>
              </td>
              <td>
                {one.ms === null ? 'under way' : one.status === 0 ? 'no answer' : one.status}{' '}
                {one.reason !== null && <span className="q">{reasonText(one.reason)}</span>}
              </td>
              <td>{one.class === null ? '–' : <span className="tag">{one.class.replaceAll('_', ' ')}</span>}</td>
              <td className="num re-w">{exactCount(one.items)}</td>
              <td className="num">{one.ms === null ? '–' : milliseconds(one.ms)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

export function Code({ title, head, value, text }: { title: string; head?: string; value?: unknown; text?: string }) {
  const body = text ?? JSON.stringify(value, null, 2) ?? '';
  return (
    <figure className="re-code">
      <figcaption>{title}</figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling block must be reachable by keyboard. */}
      <pre className="code" tabIndex={0}>
        {head === undefined ? body : `${head}\n${body}`}
      </pre>
    </figure>
  );
}
