import type { ProofPage } from '../../../contract/proof.ts';
import { Link } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { Glyph, Icon } from '../controls/icons.tsx';
import type { Organisation } from '../desk/session.tsx';
import { Empty } from '../overview/states.tsx';
import { timeText } from '../period/words.ts';
import { ProofFrame } from './frame.tsx';
import { trustPages } from './pages.ts';
import { Meter } from './state_parts.tsx';
import { checkGlyphs, earlierOf } from './words.ts';

/** Are we in order? What needs somebody first, then what is promised and how far it is proved. */
export function TrustPage({ organisation }: { organisation: Organisation }) {
  return (
    <ProofFrame organisation={organisation} title="Trust" what="the state of the promises">
      {(page) => <Trust organisation={organisation} page={page} />}
    </ProofFrame>
  );
}

function Trust({ organisation, page }: { organisation: Organisation; page: ProofPage }) {
  const needs = needsOf(page);
  const red = needs.filter(({ isRed }) => isRed).length;
  const earlier = earlierOf(page.requirements);
  return (
    <>
      <div className="pf-lead">
        <div>
          <h2>{red === 0 ? 'No promise is broken' : red === 1 ? 'One thing is broken' : `${red} things are broken`}</h2>
          <p>
            {page.counts.proved} of {page.counts.total} promises are proved on this desk.{' '}
            {page.run === null
              ? 'The live checks have not all run yet.'
              : `It last looked at itself as a whole ${timeText(page.run.made_at)}.`}
          </p>
          {earlier !== null && (
            <p className="pf-earlier">
              {earlier.count} more {earlier.count === 1 ? 'was' : 'were'} proved by {earlier.by}, last{' '}
              {timeText(earlier.at)}. A test counts only for the version that it ran for, and this desk runs another
              one: none of these has failed, their tests have not run for it yet. Whoever runs this desk can run them.
            </p>
          )}
        </div>
        <Meter requirements={page.requirements} />
      </div>
      <div className="pf-two">
        <div className="pf-main">
          <Needs needs={needs} organisation={organisation} />
          <Subjects page={page} organisation={organisation} />
        </div>
        <nav className="panel pf-ways" aria-label="Pages of Trust">
          <h2>Where to look</h2>
          {trustPages
            .filter((one) => one.page !== 'trust')
            .map(({ page: to, label, about }) => (
              <Link key={to} href={pathOf({ page: to, organisation: organisation.slug })}>
                <b>{label}</b>
                <span className="pf-about">{about}</span>
                <Icon name="right" />
              </Link>
            ))}
        </nav>
      </div>
    </>
  );
}

interface Need {
  key: string;
  what: string;
  fact: string;
  todo: string | null;
  isRed: boolean;
  glyph: 'ok' | 'bad' | 'idle' | 'off';
  search: string;
}

/** Broken promises and checks that found something. A promise that is red by a live check is said once, by the check. */
function needsOf(page: ProofPage): Need[] {
  const checks = page.checks
    .filter(({ state }) => state === 'wrong' || state === 'look')
    .map(
      ({ check, what, state, fact, todo }): Need => ({
        ...{ key: check, what, todo, isRed: state === 'wrong', glyph: checkGlyphs[state], search: '' },
        fact: fact ?? 'It is about the machine: whoever runs this desk sees what was found.',
      }),
    );
  const promises = page.requirements
    .filter(
      ({ state, evidence }) => state === 'red' && evidence.some((one) => one.state === 'failed' && one.kind !== 'live'),
    )
    .map(
      ({ id, promise, evidence }): Need => ({
        ...{ key: id, what: id, fact: promise, isRed: true, glyph: 'bad', search: '?show=red' },
        todo: `${evidence.filter((one) => one.state === 'failed').length} of what shows it failed.`,
      }),
    );
  return [...promises, ...checks].sort((a, b) => Number(b.isRed) - Number(a.isRed));
}

function Needs({ needs, organisation }: { needs: readonly Need[]; organisation: Organisation }) {
  return (
    <section className="panel pf-needs" aria-label="Needs attention">
      <h2>Needs attention</h2>
      {needs.length === 0 ? (
        <Empty title="Nothing needs you.">Every check that has run found what it should.</Empty>
      ) : (
        <ul>
          {needs.map(({ key, what, fact, todo, isRed, glyph, search }) => (
            <li key={key} className={isRed ? 'wrong' : ''}>
              <Glyph state={glyph} />
              <span>
                <b className="pf-what">{what}</b>
                <span className="pf-fact">{fact}</span>
                {todo !== null && <small className="pf-todo">{todo}</small>}
              </span>
              <Link
                className="link"
                href={`${pathOf({ page: 'proof', organisation: organisation.slug })}${search}`}
                aria-label={`Open ${what} on Proof`}
              >
                Open
              </Link>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Subjects({ page, organisation }: { page: ProofPage; organisation: Organisation }) {
  return (
    <section className="panel pf-subjects" aria-label="What this desk promises">
      <h2>What this desk promises</h2>
      {page.subjects.map(({ name: subject, promise }) => {
        const all = page.requirements.filter((one) => one.subject === subject);
        const count = (state: string) => all.filter((one) => one.state === state).length;
        const [proved, red] = [count('proved'), count('red')];
        const waiting = all.filter(({ earlier }) => earlier !== null).length;
        const isLater = all.every(({ state }) => state === 'later');
        return (
          <Link
            key={subject}
            href={`${pathOf({ page: 'proof', organisation: organisation.slug })}?${new URLSearchParams({ subject })}`}
          >
            <span>
              <b>{subject}</b>
              <span className="pf-about">{promise}</span>
            </span>
            <span className={`st ${red > 0 ? 'bad' : proved === all.length ? 'ok' : 'quiet'}`}>
              <Glyph state={red > 0 ? 'bad' : proved === all.length ? 'ok' : 'idle'} />
              {isLater ? 'to come' : red > 0 ? `${red} broken` : `${proved} of ${all.length} proved`}
              {waiting > 0 && red === 0 ? `, ${waiting} to test again` : ''}
            </span>
          </Link>
        );
      })}
    </section>
  );
}
