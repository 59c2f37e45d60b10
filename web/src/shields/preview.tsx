import type { ReactNode } from 'react';
import { useEffect, useState } from 'react';
import type { PreviewedKind, ShieldKind, ShieldPreview } from '../../../contract/shields.ts';
import { StepBars } from '../charts/step_bars.tsx';
import { Glyph } from '../controls/icons.tsx';
import type { DeskError, Site } from '../desk/api.ts';
import { api, asDeskError } from '../desk/api.ts';
import { exactCount, percent, share } from '../numbers/format.ts';
import { stepText, stepTick } from '../period/words.ts';

export type Reading =
  | { state: 'none' }
  | { state: 'waiting'; old: ShieldPreview | undefined }
  | { state: 'here'; answer: ShieldPreview }
  /** `wrong` says what is wrong with the value; without it the desk could not answer. */
  | { state: 'failed'; wrong: string | undefined; problem: DeskError; retry: () => void };

/** More of them would push the button out of the window. */
const examplesMax = 3;
/** A rule is asked about when nobody has typed for this long. */
const calmMs = 400;

/** What the rule would have dropped; asked again after each change, never for an address. */
export function usePreview(domain: string, rule: { kind: PreviewedKind; value: string } | undefined): Reading {
  const key = rule === undefined || rule.value === '' ? '' : `${rule.kind} ${rule.value}`;
  const [found, setFound] = useState<{ key: string; answer?: ShieldPreview; problem?: DeskError }>({ key: '' });
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    if (rule === undefined || key === '') return;
    const stop = new AbortController();
    const timer = setTimeout(() => {
      api.previewShield(domain, rule, stop.signal).then(
        (answer) => {
          if (!stop.signal.aborted) setFound({ key, answer });
        },
        (error: unknown) => {
          if (!stop.signal.aborted) setFound({ key, problem: asDeskError(error) });
        },
      );
    }, calmMs);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [domain, key, attempt]);
  if (key === '') return { state: 'none' };
  if (found.key !== key) return { state: 'waiting', old: found.answer };
  if (found.answer !== undefined) return { state: 'here', answer: found.answer };
  const problem = found.problem ?? asDeskError(undefined);
  return {
    state: 'failed',
    wrong: problem.code === 'invalid_field' ? problem.message : undefined,
    problem,
    retry: () => setAttempt((count) => count + 1),
  };
}

/**
 * The frame has the same height whatever stands in it, so that what is under it stays where it is.
 * @param confirm the word that a rule needs before it is added; it stands in the place of the examples
 */
export function Preview({
  kind,
  reading,
  site,
  confirm,
}: {
  kind: ShieldKind;
  reading: Reading;
  site: Site;
  confirm?: ReactNode;
}) {
  const shown = reading.state === 'here' ? reading.answer : reading.state === 'waiting' ? reading.old : undefined;
  return (
    <section
      className={`sh-preview ${reading.state === 'waiting' ? 'late' : ''} ${kind === 'address' ? 'short' : ''}`}
      aria-label="What it would have dropped"
      aria-live="polite"
      aria-busy={reading.state === 'waiting'}
    >
      {kind === 'address' ? (
        <p className="q">
          What an address would have dropped cannot be shown: addresses are stored nowhere, so there is nothing to look
          it up in.
        </p>
      ) : reading.state === 'failed' && reading.wrong === undefined ? (
        <p>
          <Glyph state="bad" />
          <span>
            What it would have dropped could not be read. {reading.problem.message}{' '}
            <button type="button" className="link" onClick={reading.retry}>
              Try again
            </button>
          </span>
        </p>
      ) : shown === undefined || reading.state === 'failed' ? (
        <p className="q">Before you add a rule, this shows what it would have dropped in the last 7 days.</p>
      ) : (
        <Dropped answer={shown} site={site} examplesMax={confirm === undefined ? examplesMax : 0} />
      )}
      {confirm}
    </section>
  );
}

function Dropped({ answer, site, examplesMax: most }: { answer: ShieldPreview; site: Site; examplesMax: number }) {
  const { dropped, stored, steps, estimated, busiest, examples } = answer;
  const part = share(dropped.events, stored.events);
  const today = steps.at(-1)?.slice(0, 10) ?? '';
  if (stored.events === 0)
    return <p className="q">Nothing was stored in the last 7 days, so there is nothing that it could have dropped.</p>;
  if (dropped.events === 0)
    return (
      <p>
        <span>
          <b>It would have dropped nothing</b> of the {eventsText(stored.events)} of the last 7 days.
          {busiest !== null && ` The busiest second had ${exactCount(busiest)}.`}
        </span>
      </p>
    );
  const top = Math.max(...dropped.by_step);
  return (
    <>
      <p>
        <span>
          In the last 7 days {answer.kind === 'hostname' ? 'the list' : 'it'} would have dropped{' '}
          <b>
            {estimated && '≈ '}
            {eventsText(dropped.events)}
          </b>
          {part !== null && `, ${percent(part)} of all`}
          {dropped.visitors !== null &&
            `, by ${exactCount(dropped.visitors)} of ${exactCount(stored.visitors)} ${stored.visitors === 1 ? 'visitor' : 'visitors'}`}
          .{busiest !== null && ` The busiest second had ${exactCount(busiest)}.`}
          {answer.kind === 'referrer' && ' Whole visits are counted here; a later page of one may still be stored.'}
        </span>
      </p>
      <figure aria-live="off">
        <StepBars
          steps={steps.map((start, at) => {
            const events = dropped.by_step[at] ?? 0;
            const name = stepText(start.slice(0, 19), 'day', today);
            return { key: start, name, said: `${name}: ${eventsText(events)}`, values: [events] };
          })}
          kinds={[{ head: 'Would have been dropped', className: 'events' }]}
          top={top}
          ends={[stepTick((steps[0] ?? '').slice(0, 19), 'day', false, today), 'today, so far']}
          caption="What it would have dropped by day"
          stepHead="Day"
        />
      </figure>
      {examples.length > 0 && most > 0 && (
        <table aria-live="off">
          <thead>
            <tr>
              <th scope="col" className="sh-cell">
                {answer.kind === 'hostname' || answer.kind === 'blocked_hostname' ? 'Hostname' : 'Page'}
              </th>
              <th scope="col" className="num sh-cell">
                Events
              </th>
            </tr>
          </thead>
          <tbody>
            {examples.slice(0, most).map(({ what, events }) => (
              <tr key={what}>
                <td className="sh-what sh-cell" dir="auto" title={what}>
                  {what.startsWith(`${site.domain}/`) ? what.slice(site.domain.length) : what}
                </td>
                <td className="num sh-cell">{exactCount(events)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

function eventsText(events: number): string {
  return `${exactCount(events)} ${events === 1 ? 'event' : 'events'}`;
}
