import { useState } from 'react';
import type { ProofPage as Page, ProvedRequirement, RequirementState } from '../../../contract/proof.ts';
import { navigate, useAddress } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { CopyButton } from '../controls/copy.tsx';
import { Icon } from '../controls/icons.tsx';
import { asDeskError, type DeskError } from '../desk/api.ts';
import { type Organisation, useSession } from '../desk/session.tsx';
import { Empty, Failed } from '../overview/states.tsx';
import { timeText } from '../period/words.ts';
import { proofPath, runChecks } from './api.ts';
import { ProofFrame } from './frame.tsx';
import { LiveChecks } from './live_checks.tsx';
import { Group } from './requirement_rows.tsx';
import { Meter } from './state_parts.tsx';
import { earlierOf, stateWords } from './words.ts';

type Shown = 'all' | 'live' | RequirementState;

/** Is every promise true now? Filters in the address; what is broken first, whatever the filter. */
export function ProofPage({ organisation }: { organisation: Organisation }) {
  return (
    <ProofFrame organisation={organisation} title="Proof" what="the promises">
      {(page, reload) => <Proof organisation={organisation} page={page} reload={reload} />}
    </ProofFrame>
  );
}

function Proof({ organisation, page, reload }: { organisation: Organisation; page: Page; reload: () => void }) {
  const { person } = useSession();
  const [isRunning, setRunning] = useState(false);
  const [refused, setRefused] = useState<DeskError>();
  async function run() {
    setRunning(true);
    setRefused(undefined);
    try {
      await runChecks();
      reload();
    } catch (error) {
      setRefused(asDeskError(error));
    } finally {
      setRunning(false);
    }
  }
  return (
    <>
      <div className="pf-lead">
        <div>
          <h2>
            {page.counts.proved} of {page.counts.total} promises are proved
          </h2>
          <p>{leadText(page)}</p>
        </div>
        <div className="pf-acts">
          {person.is_operator && (
            <button type="button" className="btn" onClick={() => void run()} disabled={isRunning}>
              {isRunning ? 'Running…' : 'Run live checks'}
            </button>
          )}
          <a className="btn" href={`${proofPath(organisation.id)}/export`} download>
            <Icon name="download" />
            CSV
          </a>
          <button type="button" className="btn" onClick={() => window.print()}>
            Print
          </button>
        </div>
        <Meter requirements={page.requirements} />
      </div>
      {refused !== undefined && (
        <Failed
          code={refused.code}
          message={refused.message}
          reference={refused.reference}
          onRetry={() => void run()}
          what="The live checks could not be run."
        />
      )}
      <div className="pf-two">
        <Promises page={page} organisation={organisation} />
        <div className="pf-side">
          <LiveChecks page={page} isOperator={person.is_operator} />
          <CheckYourself />
        </div>
      </div>
    </>
  );
}

function leadText({ counts, tests, requirements }: Page): string {
  const broken =
    counts.red === 0 ? 'None is broken.' : counts.red === 1 ? 'One is broken now.' : `${counts.red} are broken now.`;
  const left = counts.partly + counts.open;
  const earlier = earlierOf(requirements);
  const ran =
    tests.at === null
      ? 'The tests of this version have not run on this machine, so only live checks count: npm test and npm run proof run them.'
      : `Tests of this very version ran here ${timeText(tests.at)}.`;
  const before =
    earlier === null
      ? ''
      : ` ${earlier.count} were proved by ${earlier.by}, and count again once their tests have run for this one.`;
  return `${broken} ${left} wait for parts of the trust layer that are not built, ${counts.later} belong to capabilities to come. ${ran}${before}`;
}

function Promises({ page, organisation }: { page: Page; organisation: Organisation }) {
  const { search } = useAddress();
  const asked = new URLSearchParams(search);
  const [words, setWords] = useState(asked.get('q') ?? '');
  const shown = (asked.get('show') ?? 'all') as Shown;
  const subject = asked.get('subject') ?? '';
  function set(name: string, value: string) {
    const next = new URLSearchParams(search);
    if (value === '' || value === 'all') next.delete(name);
    else next.set(name, value);
    const query = next.toString();
    navigate(`${pathOf({ page: 'proof', organisation: organisation.slug })}${query === '' ? '' : `?${query}`}`, {
      replace: true,
    });
  }
  const wanted = words.trim().toLowerCase();
  const rows = page.requirements.filter(
    (one) =>
      isShown(one, shown) &&
      (subject === '' || one.subject === subject) &&
      (wanted === '' || `${one.id} ${one.promise}`.toLowerCase().includes(wanted)),
  );
  const red = rows.filter(({ state }) => state === 'red');
  const subjects = page.subjects.map(({ name }) => name);
  return (
    <section className="panel pf-list" aria-label="Promises">
      <search className="pf-filters" aria-label="Filter the promises">
        <input
          className="in"
          type="search"
          aria-label="Find a promise"
          placeholder="Promise or number"
          value={words}
          onChange={({ target }) => setWords(target.value)}
          onBlur={() => set('q', words.trim())}
        />
        <select
          className="in select"
          aria-label="State"
          value={shown}
          onChange={({ target }) => set('show', target.value)}
        >
          <option value="all">Any state</option>
          <option value="live">Checked live</option>
          {Object.entries(stateWords).map(([state, { word }]) => (
            <option key={state} value={state}>
              {word}
            </option>
          ))}
        </select>
        <select
          className="in select"
          aria-label="Subject"
          value={subject}
          onChange={({ target }) => set('subject', target.value)}
        >
          <option value="">All subjects</option>
          {subjects.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      </search>
      {rows.length === 0 && (
        <Empty
          title={shown === 'red' ? 'No promise is broken.' : 'No promise matches these filters.'}
          action={
            <button
              type="button"
              className="btn sm"
              onClick={() => {
                setWords('');
                navigate(pathOf({ page: 'proof', organisation: organisation.slug }), { replace: true });
              }}
            >
              Show all {page.counts.total}
            </button>
          }
        />
      )}
      {red.length > 0 && <Group title="Needs attention" note={`${red.length} broken`} rows={red} isOpen />}
      {subjects.map((name) => {
        const of = rows.filter((one) => one.subject === name && one.state !== 'red');
        return of.length === 0 ? null : <Group key={name} title={name} note={noteOf(name, page)} rows={of} />;
      })}
    </section>
  );
}

function isShown(one: ProvedRequirement, shown: Shown): boolean {
  if (shown === 'all') return true;
  if (shown === 'live') return one.evidence.some(({ kind }) => kind === 'live');
  return one.state === shown;
}

function noteOf(subject: string, page: Page): string {
  const all = page.requirements.filter((one) => one.subject === subject);
  return `${all.filter(({ state }) => state === 'proved').length} of ${all.length} proved`;
}

const command = 'npm run -s fairlead -- prove';

function CheckYourself() {
  return (
    <section className="panel pf-self" aria-label="Check it yourself">
      <h2>Check it yourself</h2>
      <p>Nothing here needs to be believed. On the machine of this desk the same checks run from a terminal:</p>
      <div className="secret">
        <code>{command}</code>
        <CopyButton text={command} />
      </div>
    </section>
  );
}
