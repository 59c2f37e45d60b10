import { useEffect, useState } from 'react';
import type { ShieldKind, ShieldList } from '../../../contract/shields.ts';
import { Link } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { FormError } from '../controls/field.tsx';
import type { DeskError, Shield, Site } from '../desk/api.ts';
import { api, asDeskError } from '../desk/api.ts';
import { useSession } from '../desk/session.tsx';
import { exactCount, percent, share } from '../numbers/format.ts';
import { Empty, Failed } from '../overview/states.tsx';
import { Shell } from '../shell/shell.tsx';
import { ShieldForm } from './form.tsx';
import { kinds, shownValue } from './kinds.ts';
import { OwnTraffic } from './own_traffic.tsx';
import './shields.css';

/** What is dropped before it is stored? The rules by kind, and one form whose kind and value are in the address. */
export function ShieldsPage({ site }: { site: Site }) {
  const { answer, problem, reload } = useShields(site.domain);
  const [removed, setRemoved] = useState<{ shield: Shield; undo: string }>();
  const [refusal, setRefusal] = useState<DeskError>();
  const role = useSession().organisations.find(({ id }) => id === site.organisation_id)?.role ?? 'viewer';
  const mayChange = role === 'owner' || role === 'admin';

  const act = async (work: () => Promise<void>) => {
    setRefusal(undefined);
    try {
      await work();
      reload();
    } catch (error) {
      setRefusal(asDeskError(error));
    }
  };
  const remove = (shield: Shield) =>
    act(async () => {
      const { undo } = await api.removeShield(site.domain, shield.id);
      setRemoved({ shield, undo });
    });
  const restore = (undo: string) =>
    act(async () => {
      await api.restoreShield(site.domain, undo);
      setRemoved(undefined);
    });
  const onAdded = () => {
    setRemoved(undefined);
    reload();
  };

  return (
    <Shell site={site.domain} title="Shields" skipTo="Skip to the rules">
      <main className="wrap shields" id="main" tabIndex={-1}>
        <p className="sh-answer">
          {answer === undefined ? problem === undefined ? '…' : '' : <Answer list={answer} />} A change holds from the
          next event on. Shields never delete what is stored.
        </p>
        <div className="sh-columns">
          <section className="panel sh-rules" aria-label="Rules">
            <header>
              <h2>Rules</h2>
              {answer !== undefined && answer.week !== null && answer.shields.length > 0 && (
                <span className="sh-week">Dropped in 7 days</span>
              )}
            </header>
            <FormError message={refusal?.message} reference={refusal?.reference} />
            {removed !== undefined && (
              <p className="note" role="status">
                <span>
                  {removedText(removed.shield, answer)}{' '}
                  <button type="button" className="link" onClick={() => void restore(removed.undo)}>
                    Undo
                  </button>
                </span>
              </p>
            )}
            {answer !== undefined ? (
              <Rules list={answer} site={site} {...(mayChange ? { onRemove: (one) => void remove(one) } : {})} />
            ) : (
              problem !== undefined && (
                <Failed
                  code={problem.code}
                  message={problem.message}
                  reference={problem.reference}
                  onRetry={reload}
                  what="The rules could not be read."
                />
              )
            )}
          </section>
          {mayChange ? (
            <div className="sh-side">
              <ShieldForm site={site} houseRate={answer?.limits.rate ?? null} onAdded={onAdded} />
              <OwnTraffic site={site} onAdded={onAdded} />
            </div>
          ) : (
            <section className="panel sh-side" aria-label="Changing shields">
              <div className="empty">
                <p>
                  <b>Your role ({role}) does not include changing shields.</b> Owners and admins of this organisation
                  can.
                </p>
              </div>
            </section>
          )}
        </div>
      </main>
    </Shell>
  );
}

function useShields(domain: string) {
  const [found, setFound] = useState<{ answer?: ShieldList; problem?: DeskError }>({});
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let stopped = false;
    api.shields(domain).then(
      (answer) => {
        if (!stopped) setFound({ answer });
      },
      (error: unknown) => {
        if (!stopped) setFound({ problem: asDeskError(error) });
      },
    );
    return () => {
      stopped = true;
    };
  }, [domain, attempt]);
  return { ...found, reload: () => setAttempt((count) => count + 1) };
}

function Answer({ list: { shields, week } }: { list: ShieldList }) {
  const rules =
    shields.length === 0
      ? 'No rule of this site drops'
      : shields.length === 1
        ? 'One rule drops'
        : `${shields.length} rules drop`;
  const start = `${rules} events before they are stored.`;
  if (week === null) return <>{start} The warehouse does not answer, so there are no counts now.</>;
  const dropped = week.dropped.reduce((sum, { events }) => sum + events, 0);
  const part = share(dropped, dropped + week.stored);
  if (dropped === 0 || part === null) return <>{start}</>;
  return (
    <>
      {start} Shields dropped <b>{exactCount(dropped)}</b> {dropped === 1 ? 'event' : 'events'} in the last 7 days,{' '}
      {percent(part)} of what arrived.
    </>
  );
}

function removedText({ kind, value, note }: Shield, list: ShieldList | undefined): string {
  const name = shownValue(kind, value) ?? note;
  if (kind === 'rate') return 'The rate limit is removed.';
  if (kind === 'hostname')
    return list?.shields.some((one) => one.kind === 'hostname')
      ? `“${name}” is removed from the allowed hostnames: its events are dropped from now on.`
      : `“${name}” is removed. Every hostname is counted again.`;
  return `“${name}” is removed. What it dropped is counted from now on.`;
}

/** Rules by kind; each kind has a count, because the desk counts what it drops by reason. */
function Rules({ list, site, onRemove }: { list: ShieldList; site: Site; onRemove?: (shield: Shield) => void }) {
  const dropped = (kind: ShieldKind) => list.week?.dropped.find((one) => one.kind === kind);
  const groups = kinds
    .map((words) => ({ ...words, rules: list.shields.filter(({ kind }) => kind === words.kind) }))
    .filter(({ kind, rules }) => rules.length > 0 || (dropped(kind)?.events ?? 0) > 0);
  if (groups.length === 0)
    return (
      <Empty title="No shields yet.">
        Everything that arrives is counted, apart from robots and known spammers. Most sites begin with their own
        traffic, and with the pages of their own staff, such as /admin/**.
      </Empty>
    );
  return (
    <table>
      <thead className="vh">
        <tr>
          <th scope="col">Rule</th>
          <th scope="col">Dropped in 7 days, or what to do</th>
        </tr>
      </thead>
      {groups.map(({ kind, group, rules }) => {
        const counted = dropped(kind);
        return (
          <tbody key={kind}>
            <tr className="sh-group">
              <th scope="rowgroup">{group}</th>
              <td className="num">
                {counted === undefined ? (
                  '–'
                ) : counted.events === 0 ? (
                  '0'
                ) : (
                  <Link
                    className="link"
                    aria-label={`${exactCount(counted.events)} dropped: see when`}
                    href={`${pathOf({ page: 'missing', site: site.domain })}?reason=${counted.reason}`}
                  >
                    {exactCount(counted.events)}
                  </Link>
                )}
              </td>
            </tr>
            {rules.length === 0 && (
              <tr className="sh-row">
                <td className="sh-rule" colSpan={2}>
                  <span className="q">
                    {kind === 'rate'
                      ? 'This site has no limit of its own: the operator’s dropped these.'
                      : 'There is no such rule now.'}
                  </span>
                </td>
              </tr>
            )}
            {rules.map((rule) => (
              <tr key={rule.id} className="sh-row">
                <td className="sh-rule">
                  <Value rule={rule} />
                  <span className="q">
                    Added {addedText(rule, site.timezone)}
                    {rule.added_by === null ? '' : ` by ${rule.added_by}`}
                  </span>
                </td>
                <td className="num">
                  {onRemove !== undefined && (
                    <button
                      type="button"
                      className="btn quiet sm"
                      aria-label={`Remove ${shownValue(rule.kind, rule.value) ?? rule.note}`}
                      onClick={() => onRemove(rule)}
                    >
                      Remove
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        );
      })}
    </table>
  );
}

function Value({ rule: { kind, value, note } }: { rule: Shield }) {
  const shown = shownValue(kind, value);
  if (shown === undefined)
    return (
      <span>
        <b>{note}</b> <span className="tag">one address, as a digest</span>
      </span>
    );
  const plain = kind === 'country' || kind === 'rate';
  return (
    <span>
      {plain ? <b>{shown}</b> : <code>{shown}</code>} {note !== '' && <span className="sh-note">{note}</span>}
    </span>
  );
}

function addedText({ added_at }: Shield, timezone: string): string {
  return new Intl.DateTimeFormat(undefined, {
    timeZone: timezone,
    day: 'numeric',
    month: 'short',
    year: 'numeric',
  }).format(Date.parse(added_at));
}
