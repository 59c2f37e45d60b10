import { useState } from 'react';
import type { UsageAnswer } from '../../../contract/usage.ts';
import { Link } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { StepBars } from '../charts/step_bars.tsx';
import { ComingRows } from '../controls/coming.tsx';
import { Fact } from '../controls/fact.tsx';
import { FormError } from '../controls/field.tsx';
import { asDeskError, type DeskError } from '../desk/api.ts';
import { useReading } from '../desk/reading.ts';
import { useSession } from '../desk/session.tsx';
import { zonedText } from '../edge/reader.ts';
import { exactCount, percent, share } from '../numbers/format.ts';
import { Empty, Failed } from '../overview/states.tsx';
import { operator } from './api.ts';

/** Which pages and features are used, and by how many organisations? Nobody is in it. */
export function Usage() {
  const { answer, problem, reload, set } = useReading(operator.usage);
  const [refusal, setRefusal] = useState<DeskError>();
  if (answer === undefined)
    return (
      <section className="panel" aria-label="Usage" aria-busy={problem === undefined}>
        {problem === undefined ? (
          <ComingRows what="the usage" rows={5} />
        ) : (
          <Failed
            code={problem.code}
            message={problem.message}
            reference={problem.reference}
            onRetry={reload}
            what="The usage could not be read."
          />
        )}
      </section>
    );
  async function turn(isOn: boolean) {
    setRefusal(undefined);
    try {
      set(await operator.switchUsage(isOn));
    } catch (error) {
      setRefusal(asDeskError(error));
    }
  }
  const all = answer.pages.reduce((sum, { opened }) => sum + opened, 0);
  const isNone = all === 0 && answer.features.length === 0;
  return (
    <>
      <div className="op-top">
        <p className="op-lead">
          How often a page of the dashboard was opened and what it offers was used, by day and organisation, by those
          people who agreed to be counted. No person, no address and no time of day is in it, and it goes to nobody
          else.
        </p>
        <button type="button" className="btn" onClick={() => void turn(!answer.is_on)}>
          {answer.is_on ? 'Switch counting off' : 'Switch counting on'}
        </button>
      </div>
      <FormError message={refusal?.message} reference={refusal?.reference} />
      <Facts answer={answer} />
      {isNone ? (
        <section className="panel" aria-label="Pages">
          <Empty title="Nothing was counted in the last 30 days.">
            {answer.is_on
              ? 'Counting begins with the first person who agrees, under Account, Agreements.'
              : 'Counting is switched off for the whole desk.'}
          </Empty>
        </section>
      ) : (
        <>
          <Course answer={answer} all={all} />
          <Pages answer={answer} all={all} />
          <Features answer={answer} />
          <Organisations answer={answer} />
        </>
      )}
    </>
  );
}

function Facts({ answer }: { answer: UsageAnswer }) {
  const { organisations } = useSession();
  const [own] = organisations;
  return (
    <section className="panel op-facts" aria-label="What it is">
      <dl>
        <Fact name="Counting">{answer.is_on ? 'on, of who agreed' : 'off'}</Fact>
        <Fact name="Class">{answer.class}, sums without a person</Fact>
        <Fact name="Kept">{answer.kept}</Fact>
        <Fact name="Documents">
          {own === undefined ? (
            'Processing and retention'
          ) : (
            <>
              <Link className="link" href={pathOf({ page: 'windows', organisation: own.slug })}>
                Classes and windows
              </Link>
              {', '}
              <Link className="link" href={pathOf({ page: 'documents', organisation: own.slug })}>
                Processing and retention
              </Link>
            </>
          )}
        </Fact>
      </dl>
    </section>
  );
}

function Course({ answer, all }: { answer: UsageAnswer; all: number }) {
  const { days } = answer;
  const text = (day: string | undefined) =>
    day === undefined ? '' : zonedText(day, 'UTC', { day: 'numeric', month: 'short' });
  return (
    <section className="panel op-usage" aria-labelledby="opened">
      <h2 className="op-head" id="opened">
        {all === 1 ? 'One page opened' : `${exactCount(all)} pages opened`} in 30 days
      </h2>
      <StepBars
        steps={days.map(({ day, opened }) => ({
          ...{ key: day, name: text(day), values: [opened] },
          said: `${text(day)}: ${exactCount(opened)}`,
        }))}
        kinds={[{ head: 'Opened', className: 'all' }]}
        top={Math.max(1, ...days.map(({ opened }) => opened))}
        ends={[text(days[0]?.day), text(days.at(-1)?.day)]}
        caption="Pages opened by day (UTC)"
        stepHead="Day"
      />
    </section>
  );
}

function Pages({ answer, all }: { answer: UsageAnswer; all: number }) {
  return (
    <section className="list op-usage-list" aria-label="Pages">
      <table>
        <thead>
          <tr>
            <th className="fill">Page</th>
            <th className="num">Opened</th>
            <th className="num">Share</th>
          </tr>
        </thead>
        <tbody>
          {answer.pages.map(({ page, opened }) => (
            <tr key={page}>
              <td className="fill">{pageWords(page)}</td>
              <td className="num">{exactCount(opened)}</td>
              <td className="num">{percent(share(opened, all) ?? 0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Features({ answer }: { answer: UsageAnswer }) {
  return (
    <section className="list op-usage-list" aria-label="Features">
      <table>
        <thead>
          <tr>
            <th className="fill">Feature</th>
            <th className="num">Used</th>
            <th className="num">Days</th>
          </tr>
        </thead>
        <tbody>
          {answer.features.map(({ feature, used, days }) => (
            <tr key={feature}>
              <td className="fill">{featureWords(feature)}</td>
              <td className="num">{exactCount(used)}</td>
              <td className="num">{exactCount(days)}</td>
            </tr>
          ))}
          {answer.features.length === 0 && (
            <tr>
              <td className="q" colSpan={3}>
                None was used in the last 30 days.
              </td>
            </tr>
          )}
        </tbody>
      </table>
    </section>
  );
}

function Organisations({ answer }: { answer: UsageAnswer }) {
  return (
    <section className="list op-usage-list" aria-label="Organisations">
      <table>
        <thead>
          <tr>
            <th className="fill">Organisation</th>
            <th className="num">Opened</th>
            <th className="num">Used</th>
          </tr>
        </thead>
        <tbody>
          {answer.organisations.map(({ name, opened, page, used, feature }) => (
            <tr key={name ?? ''}>
              <td className="fill">
                {name ?? <span className="q">With fewer than five members, together: one alone would be somebody</span>}
                <span className="q op-most">
                  Most: {[page && pageWords(page), feature && featureWords(feature)].filter(Boolean).join(', ')}
                </span>
              </td>
              <td className="num">{exactCount(opened)}</td>
              <td className="num">{exactCount(used)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** Names of pages in the code are the words of their addresses; these few are another in the navigation. */
const otherWords: Readonly<Record<string, string>> = {
  analytics: 'Overview',
  missing: 'Missing events',
  profile: 'One profile',
  goal: 'One goal',
  request: 'One request',
  organisation: 'Organisation settings',
  'organisation-sites': 'Sites of an organisation',
  settings: 'Site settings',
  windows: 'Classes and windows',
  tonight: 'Tonight’s preview',
  trust: 'Trust overview',
  audit: 'Audit log',
  operations: 'Operations log',
  relay: 'Relay overview',
  'relay-inspector': 'Relay inspector',
  'relay-requests': 'Intake log of the relay',
  'relay-dead-letters': 'Dead letters of the relay',
  'relay-match-quality': 'Match quality of the relay',
  'relay-credits': 'Credits of the relay',
};

/** What was done, in the past; the others are called as what was made. */
const doneWords: Readonly<Record<string, string>> = {
  'whole-list': 'Whole list of a panel',
  table: 'Chart as a table',
  export: 'Export asked for',
  import: 'Import begun',
  report: 'Report by mail subscribed to or ended',
  request: 'Request of a data subject entered',
  policy: 'Policy of windows changed',
  document: 'Document published',
  'lawful-basis': 'Lawful basis changed',
  'consent-record': 'Consent recorded',
  'access-review': 'Access reviewed',
  'audit-export': 'Audit log exported',
  'operations-export': 'Operations log exported',
  archive: 'Archive of the organisation asked for',
  transfer: 'Transfer to a new controller announced',
  filter: 'Filter',
  comparison: 'Comparison',
  goal: 'Goal added',
  invitation: 'Invitation sent',
};

function featureWords(feature: string): string {
  return doneWords[feature] ?? `${pageWords(feature === 'api-key' ? 'API key' : feature)} added`;
}

function pageWords(page: string): string {
  return otherWords[page] ?? page.replace(/^./, (first) => first.toUpperCase());
}
