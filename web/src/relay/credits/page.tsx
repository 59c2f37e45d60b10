import { useCallback, useState } from 'react';
import { creditLimits, creditMicro } from '../../../../contract/credit_unit.ts';
import type { Credits } from '../../../../contract/credits.ts';
import type { RelayPeriod } from '../../../../contract/relay_asked.ts';
import { relayPeriods } from '../../../../contract/relay_asked.ts';
import { navigate, useAddress } from '../../address/navigate.tsx';
import { pathOf } from '../../address/route.ts';
import { Sparkline } from '../../charts/sparkline.tsx';
import { StepBars } from '../../charts/step_bars.tsx';
import { ComingRows } from '../../controls/coming.tsx';
import { Glyph, Icon } from '../../controls/icons.tsx';
import type { Site } from '../../desk/api.ts';
import { useReading } from '../../desk/reading.ts';
import { useSession } from '../../desk/session.tsx';
import { momentText, zonedText } from '../../edge/reader.ts';
import { count, exactCount } from '../../numbers/format.ts';
import { Empty, Failed } from '../../overview/states.tsx';
import { relayOf } from '../api.ts';
import { withFilters } from '../reading/filters.ts';
import { type Here, ReadingFrame } from '../reading/frame.tsx';
import { PeriodChoice } from '../reading/period_choice.tsx';
import { AddCredits } from './add.tsx';
import { credits } from './api.ts';
import './credits.css';
import { Ledger } from './ledger.tsx';
import { type Names, nameIn } from './names.ts';

/** What was used? Credits that are left, what used them by destination and day, and the lines of the ledger. */
export function RelayCreditsPage({ site }: { site: Site }) {
  return (
    <ReadingFrame site={site} title="Credits" what="credits">
      {(organisation) => <Page organisation={organisation} />}
    </ReadingFrame>
  );
}

function Page({ organisation }: { organisation: Here }) {
  const { search } = useAddress();
  const period = readPeriod(search);
  const path = pathOf({ page: 'relay-credits', site: organisation.site });
  const [times, setTimes] = useState(0);
  const [adding, setAdding] = useState(false);
  const isOperator = useSession().person.is_operator;
  const { answer, problem, reload } = useReading(
    useCallback(() => credits.read(organisation.id, period), [organisation.id, period]),
  );
  const { answer: list } = useReading(useCallback(() => relayOf(organisation.id).destinations(), [organisation.id]));
  const names: Names = new Map((list?.destinations ?? []).map(({ id, name }) => [id, name]));
  if (problem !== undefined)
    return (
      <section className="panel" aria-label="Credits">
        <Failed
          code={problem.code}
          message={problem.message}
          reference={problem.reference}
          onRetry={reload}
          what="The credits could not be read."
        />
      </section>
    );
  if (answer === undefined)
    return (
      <section className="panel" aria-label="Credits" aria-busy="true">
        <ComingRows what="the credits" rows={8} />
      </section>
    );
  if (!answer.is_on)
    return (
      <section className="panel" aria-label="Credits">
        <Empty title="Sending costs nothing on this desk.">
          Credits are for whoever runs a desk for others, and are off here.
        </Empty>
      </section>
    );
  return (
    <>
      <div className="cr-top">
        <PeriodChoice value={period} onChoose={(one) => navigate(withFilters(path, { period: one }))} />
        {isOperator ? (
          <button type="button" className="btn main-act" onClick={() => setAdding(true)}>
            Add credits
          </button>
        ) : (
          <p className="q2">Credits are added by whoever runs this desk.</p>
        )}
      </div>
      <Standing answer={answer} />
      <Figures answer={answer} period={period} />
      <Used answer={answer} names={names} />
      <Lots answer={answer} />
      <Ledger key={times} organisation={organisation} names={names} />
      <p className="re-zone">
        One credit for each delivery that its platform accepted; none for tries, replays, duplicates, refusals and
        tests. Days of {answer.span.timezone}.
      </p>
      {adding && (
        <AddCredits
          organisation={organisation}
          answer={answer}
          onClose={() => setAdding(false)}
          onDone={() => {
            setAdding(false);
            setTimes(times + 1);
            reload();
          }}
        />
      )}
    </>
  );
}

/** A month unless the address says otherwise: credits are bought for months. */
function readPeriod(search: string): RelayPeriod {
  const given = new URLSearchParams(search).get('period');
  return relayPeriods.find((one) => one === given) ?? '30d';
}

const whole = (micro: number) => micro / creditMicro;
const creditsText = (micro: number) => (whole(micro) === 1 ? 'one credit' : `${exactCount(whole(micro))} credits`);

function Standing({ answer }: { answer: Credits }) {
  const { state, used_last_days } = answer;
  if (state === 'out')
    return (
      <p className="note bad cr-note" role="status">
        <Glyph state="bad" />
        <span>
          <b>No credits are left.</b> Conversions are still taken in and wait. They are sent once credits are added, as
          long as their platforms take them by their age.
        </span>
      </p>
    );
  if (state === 'low')
    return (
      <p className="note warn cr-note" role="status">
        <Icon name="alert" />
        <span>
          <b>Little is left.</b> The last seven days used {creditsText(used_last_days)}. When none is left, conversions
          wait and are sent once credits are added.
        </span>
      </p>
    );
  return null;
}

/** What seven days say of the time after them says nothing of years. */
const tellableDays = 730;

function Figures({ answer, period }: { answer: Credits; period: RelayPeriod }) {
  const { balance, destinations, used_last_days, lots } = answer;
  const used = destinations.reduce((sum, { consumed }) => sum + consumed, 0);
  const back = destinations.reduce((sum, { refunded }) => sum + refunded, 0);
  const perDay = used_last_days / creditLimits.lowDays;
  const left = balance.available + balance.reserved;
  const days = perDay === 0 ? undefined : Math.floor(left / perDay);
  const next = lots.find(({ expires_at }) => expires_at !== null);
  return (
    <section className="panel re-flow" aria-labelledby="balance">
      <h2 id="balance" className="vh">
        Balance
      </h2>
      <dl>
        <Figure
          name="Available"
          value={count(whole(balance.available))}
          title={exactCount(whole(balance.available))}
          below={
            balance.reserved > 0 ? `and ${exactCount(whole(balance.reserved))} held while sending` : 'nothing held'
          }
          tone={answer.state === 'out' ? 'bad' : ''}
        />
        <Figure
          name={period === 'today' ? 'Used today' : `Used in ${answer.days.length} days`}
          value={count(whole(used))}
          title={exactCount(whole(used))}
          below={back > 0 ? `${exactCount(whole(back))} given back` : 'nothing given back'}
        />
        <Figure
          name="Lasts about"
          value={
            days === undefined
              ? '–'
              : days === 0
                ? 'less than a day'
                : days === 1
                  ? 'one day'
                  : days > tellableDays
                    ? 'over two years'
                    : `${exactCount(days)} days`
          }
          below={
            perDay === 0
              ? 'nothing was used in seven days'
              : `at ${exactCount(Math.max(1, Math.round(whole(perDay))))} a day, as in the last seven`
          }
        />
        <Figure
          name="Ends next"
          value={next === undefined ? 'none' : exactCount(whole(next.remaining))}
          below={
            next?.expires_at == null ? 'no credit has an end' : `if not used by ${dayText(lastDay(next.expires_at))}`
          }
        />
        <Figure
          name="Added in all"
          value={count(whole(balance.granted))}
          title={exactCount(whole(balance.granted))}
          below={balance.expired > 0 ? `${exactCount(whole(balance.expired))} ended unused` : 'none ended unused'}
        />
      </dl>
    </section>
  );
}

function Figure({
  name,
  value,
  below,
  title,
  tone = '',
}: {
  name: string;
  value: string;
  below: string;
  title?: string;
  tone?: string;
}) {
  return (
    <div className="re-k">
      <dt>{name}</dt>
      <dd>
        <span className={`re-v ${tone}`} title={title}>
          {value}
        </span>
        <span className="q">{below}</span>
      </dd>
    </div>
  );
}

const dayText = (day: string) => zonedText(day, 'UTC', { day: 'numeric', month: 'short', year: 'numeric' });
/** The moment after the last day is what is stored. */
const lastDay = (expiresAt: string) => new Date(Date.parse(expiresAt) - 1).toISOString().slice(0, 10);

function Used({ answer, names }: { answer: Credits; names: Names }) {
  const { days, destinations } = answer;
  if (destinations.length === 0)
    return (
      <section className="panel" aria-label="Used">
        <Empty title="Nothing was used in this period.">
          Each delivery that its platform accepts costs one credit, and stands here by destination and day.
        </Empty>
      </section>
    );
  const text = (day: string | undefined) =>
    day === undefined ? '' : zonedText(day, 'UTC', { day: 'numeric', month: 'short' });
  const byDay = days.map((_, at) => whole(destinations.reduce((sum, { by_day }) => sum + (by_day[at] ?? 0), 0)));
  const all = byDay.reduce((sum, value) => sum + value, 0);
  const most = Math.max(1, ...byDay);
  return (
    <>
      {days.length > 1 && (
        <section className="panel cr-days" aria-labelledby="cr-days">
          <header>
            <h2 id="cr-days">Used by day</h2>
            <p className="q">highest {exactCount(most)}</p>
          </header>
          <StepBars
            steps={days.map((day, at) => ({
              ...{ key: day, name: text(day), values: [byDay[at] ?? 0] },
              said: `${text(day)}: ${exactCount(byDay[at] ?? 0)}`,
            }))}
            kinds={[{ head: 'Credits', className: 'used' }]}
            top={most}
            ends={[text(days[0]), 'today, so far']}
            caption="Credits used by day"
            stepHead="Day"
          />
        </section>
      )}
      <section className="list re-table cr-used" aria-labelledby="cr-used">
        <header className="re-head">
          <h2 id="cr-used">Used by destination</h2>
        </header>
        <table className="re-cover">
          <thead>
            <tr>
              <th className="fill">Destination</th>
              <th className="num re-w">Deliveries</th>
              <th className="num re-w">Given back</th>
              <th className="num">Credits</th>
              {days.length > 1 && <th className="re-spark">By day</th>}
            </tr>
          </thead>
          <tbody>
            {destinations.map(({ destination_id: id, deliveries, consumed, refunded, by_day }) => (
              <tr key={id}>
                <td className="fill">
                  <i className="re-bar" style={{ width: `${(92 * whole(consumed)) / Math.max(1, all)}%` }} />
                  <span className="re-over">{nameIn(names, id)}</span>
                </td>
                <td className="num re-w">{exactCount(deliveries)}</td>
                <td className="num re-w">
                  {refunded === 0 ? <span className="q">0</span> : exactCount(whole(refunded))}
                </td>
                <td className="num">{exactCount(whole(consumed))}</td>
                {days.length > 1 && (
                  <td className="re-spark">
                    <Sparkline
                      values={by_day.map(whole)}
                      top={Math.max(...by_day.map(whole))}
                      running
                      label={`${nameIn(names, id)} by day: ${exactCount(whole(by_day.at(-1) ?? 0))} today`}
                    />
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
}

/** What is left, in the order in which it is used; one lot without an end says nothing that the balance does not. */
function Lots({ answer: { lots } }: { answer: Credits }) {
  if (lots.every(({ expires_at }) => expires_at === null)) return null;
  return (
    <section className="list re-table" aria-labelledby="cr-lots">
      <header className="re-head">
        <h2 id="cr-lots">What is left, in the order in which it is used</h2>
      </header>
      <table>
        <thead>
          <tr>
            <th className="fill">Added</th>
            <th>Can be used until</th>
            <th className="num re-w">Of</th>
            <th className="num">Left</th>
          </tr>
        </thead>
        <tbody>
          {lots.map(({ id, added_at, expires_at, amount, remaining }) => (
            <tr key={id}>
              <td className="fill">{momentText(added_at)}</td>
              <td>{expires_at === null ? <span className="q">no end</span> : dayText(lastDay(expires_at))}</td>
              <td className="num re-w">{exactCount(whole(amount))}</td>
              <td className="num">{exactCount(whole(remaining))}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
