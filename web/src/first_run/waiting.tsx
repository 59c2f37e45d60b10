import { useState } from 'react';
import { CutPath } from '../controls/cut_path.tsx';
import { Glyph } from '../controls/icons.tsx';
import { resting } from '../controls/resting.ts';
import type { SiteChecks } from '../desk/api.ts';
import { api, DeskError } from '../desk/api.ts';
import { useWhileVisible } from '../desk/live.ts';
import { now } from '../edge/browser.ts';
import { milliseconds } from '../numbers/format.ts';
import { clockText } from '../period/words.ts';

/** How often the page asks while someone waits in front of it. */
const everyMs = 2_000;

export interface Waiting {
  checks: SiteChecks | undefined;
  /** When this page first saw the event, in milliseconds since the epoch; unset when it was there before. */
  seenAt: number | undefined;
  problem: string | undefined;
}

/** Asks for the checks of a site until its first event is there. */
export function useChecks(domain: string): Waiting {
  const [waiting, setWaiting] = useState<Waiting>({ checks: undefined, seenAt: undefined, problem: undefined });
  useWhileVisible(
    async (signal) => {
      try {
        const checks = await api.checks(domain, signal);
        if (signal.aborted) return;
        setWaiting((before) => ({
          checks,
          seenAt:
            before.seenAt ??
            (checks.first_event !== null && before.checks !== undefined && before.checks.first_event === null
              ? now()
              : undefined),
          problem: undefined,
        }));
      } catch (error) {
        if (!signal.aborted)
          setWaiting((before) => ({
            ...before,
            problem: error instanceof Error ? error.message : 'The checks could not be read.',
          }));
      }
    },
    everyMs,
    [domain],
  );
  return waiting;
}

/** The address that a snippet asks; this page's own where the checks cannot say, and undefined while they are on their way. */
export function addressOf({ checks, problem }: Waiting): string | undefined {
  const said = checks?.public_url.address.replace(/\/$/, '');
  return said ?? (problem === undefined ? undefined : window.location.origin);
}

/** The live checks that end in "first event received". */
export function WaitingCard({
  domain,
  waiting,
  since,
  timezone,
}: {
  domain: string;
  waiting: Waiting;
  since: number;
  timezone: string;
}) {
  const { checks, problem } = waiting;
  if (checks !== undefined && checks.first_event !== null)
    return <FirstEventCard checks={checks} waiting={waiting} timezone={timezone} domain={domain} />;
  const rows: { text: string; state: CheckState; detail: string }[] = [
    {
      text: 'This desk answers under its public name',
      state: checks === undefined ? 'waiting' : checks.public_url.ok ? 'ok' : 'failed',
      detail: checks?.public_url.detail ?? '',
    },
    {
      text: `${domain} answers`,
      state: checks?.site_answers.state ?? 'waiting',
      detail: checks?.site_answers.detail ?? '',
    },
    {
      text: 'Snippet on the home page',
      state: checks?.snippet.state ?? 'waiting',
      detail: checks?.snippet.detail ?? '',
    },
    { text: 'First event', state: 'waiting', detail: 'none yet' },
  ];
  return (
    <div className="wait">
      <div className="wh" role="status">
        <span className="pulse" />
        <div>
          <h2>Waiting for the first event</h2>
          <p>{problem ?? `Listening since ${clockText(since, timezone)}. This page moves on by itself.`}</p>
        </div>
      </div>
      <ul className="checks">
        {rows.map((row) => (
          <li key={row.text} className={row.state}>
            <Glyph state={glyphs[row.state]} />
            <span className={row.state === 'ok' ? '' : 'w'}>
              {row.text}
              <span className="vh">: {stateWords[row.state]}</span>
            </span>
            <span className="c">{row.detail}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

type CheckState = 'ok' | 'waiting' | 'failed' | 'not_possible';
const glyphs = { ok: 'ok', waiting: 'idle', failed: 'bad', not_possible: 'off' } as const;
const stateWords = {
  ok: 'yes',
  waiting: 'not yet',
  failed: 'failed',
  not_possible: 'cannot be checked from here',
} as const;

function FirstEventCard({
  checks,
  waiting,
  timezone,
  domain,
}: {
  checks: SiteChecks;
  waiting: Waiting;
  timezone: string;
  domain: string;
}) {
  const event = checks.first_event as NonNullable<SiteChecks['first_event']>;
  const received = Date.parse(event.received_at);
  const storedMs = event.stored_ms;
  const shownMs = waiting.seenAt === undefined ? undefined : waiting.seenAt - received - (storedMs ?? 0);
  const page = event.page.startsWith('/') ? `${domain}${event.page}` : event.page;
  const device = event.device === null ? '' : `, ${event.device.toLowerCase()}`;
  const agent =
    event.browser === null
      ? 'an unknown browser'
      : event.os === null
        ? event.browser
        : `${event.browser} on ${event.os}`;
  return (
    <div className="wait">
      <div className="wh" role="status">
        <span className="pulse got">
          <Glyph state="ok" />
        </span>
        <div>
          <h2>First event received</h2>
          <p>
            {clockText(received, timezone, undefined, true)}
            {storedMs === null ? ', stored' : `, stored ${milliseconds(storedMs)} later`}
            {shownMs !== undefined && shownMs >= 0 ? `, shown ${milliseconds(shownMs)} after that` : ''}.
          </p>
        </div>
      </div>
      <dl className="ev">
        <dt>Page</dt>
        <dd className="cut-path" title={page}>
          <CutPath text={page} />
        </dd>
        <dt>Came from</dt>
        <dd>{event.source ?? 'Direct'}</dd>
        <dt>Visitor</dt>
        <dd>
          {event.place === null ? 'Place unknown' : event.place}. {agent}
          {device}
        </dd>
        <dt>Kept</dt>
        <dd>the lines above and a visitor number that is forgotten at midnight UTC</dd>
        <dt>Not kept</dt>
        <dd>address, full browser string, query string</dd>
      </dl>
    </div>
  );
}

/** Sends an event through the whole pipeline, and says what became of it. */
export function TestEventButton({ domain }: { domain: string }) {
  const [state, setState] = useState<{ kind: 'idle' | 'sending' | 'sent' } | { kind: 'refused'; message: string }>({
    kind: 'idle',
  });
  return (
    <>
      <button
        type="button"
        className="btn"
        onClick={async () => {
          setState({ kind: 'sending' });
          try {
            await api.sendTestEvent(domain);
            setState({ kind: 'sent' });
          } catch (error) {
            setState({
              kind: 'refused',
              message: error instanceof DeskError ? error.message : 'The test event could not be sent.',
            });
          }
        }}
        {...resting(state.kind === 'sending')}
      >
        Send a test event
      </button>
      <span className="q" role="status">
        {state.kind === 'sent'
          ? 'Sent. It shows here when it is stored.'
          : state.kind === 'refused'
            ? state.message
            : 'It goes the way of a real one and counts as a visit.'}
      </span>
    </>
  );
}

/** The reasons in the order in which they are usually the one. */
export function WhyNothing({ domain, address }: { domain: string; address: string }) {
  const local = /^https?:\/\/(localhost|127\.|\[::1\])/.test(address);
  const reasons: { what: string; how: string }[] = [
    ...(local
      ? [
          {
            what: 'This desk listens on this machine only',
            how: `Other machines cannot reach ${address}. Set FAIRLEAD_PUBLIC_URL and HOST, and put HTTPS in front.`,
          },
        ]
      : []),
    {
      what: 'The page is opened from localhost or a file',
      how: 'The tracker keeps quiet there, so that work on the site is not counted. Open the published page.',
    },
    {
      what: 'A blocker stops the script',
      how: 'Open the page in a private window without extensions. The script can be served under a name of your own.',
    },
    {
      what: 'The site forbids foreign scripts',
      how: `Its content policy needs ${address} in script-src and connect-src. The browser's console says so.`,
    },
    {
      what: 'The domain differs',
      how: `The snippet says ${domain}. An event for another name is dropped with the reason not_found.`,
    },
    {
      what: 'A cache serves an old page',
      how: 'Empty the cache of the site or of its network, then look at the page source.',
    },
  ];
  return (
    <details className="why-nothing">
      <summary>It is there, but nothing arrives</summary>
      <dl>
        {reasons.map((reason) => (
          <div key={reason.what}>
            <dt>{reason.what}</dt>
            <dd>{reason.how}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
