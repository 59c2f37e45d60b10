import type { Audit } from '../platform/audit.ts';
import { type Clock, repeat } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Mail, MailTemplate } from '../platform/mail/index.ts';
import { everyOrganisation, type Postgres, type Sql } from '../platform/postgres/index.ts';
import type { Gauge, KeyRing } from '../platform/subject.ts';
import type { Vault } from '../platform/vault.ts';
import { dayMs, utcDay } from '../platform/zone.ts';
import { openDraft } from '../trust/incidents/index.ts';
import type { Notices } from './mail/index.ts';
import { emailIn } from './people/person.ts';

/**
 * Looks for what somebody should know of (OPS-01): every minute it reads what each organisation's trail says of the last
 * day, and tells the owners by mail, once a day and kind; of the desk's own trail, those who run the desk. The alert itself
 * stands in that trail. It reads what others wrote down, so that no act can forget to tell it.
 */
const kinds = {
  refresh_reuse: 'A session was copied: somebody presented a token that had been replaced. The session was ended.',
  brute_force: 'Somebody tries many passwords for accounts here. Each further try costs them work.',
  unknown_names:
    'Somebody tries to sign in under many names that nobody here has, from many networks. No account was reached by it, and each further try costs them work.',
  mass_export: 'Much more was exported than on an ordinary day.',
  past_due:
    'Something is stored for longer than it may be: the last nightly run found rows past their window that it could not remove. The next night tries again; see Trust, Windows.',
  clock_ahead:
    'The nightly run that removes what is past its window waits until tomorrow: by its clock this desk has been away for more than a week. If the clock is right, nothing needs to be done. If it is wrong, set it right before then.',
  canary_key:
    'An API key was used that nobody has a reason to use: its name begins with "canary". Whoever has it has read where it lay.',
} as const;
type AlertKind = keyof typeof kinds;
/** Those that may be a breach: each opens a draft in the register of incidents, for somebody to judge. */
const drafted: ReadonlySet<AlertKind> = new Set(['refresh_reuse', 'brute_force', 'mass_export', 'canary_key']);
/** The number of the desk's own trail. */
const deskChain = 0;

const lookMs = 60_000;
/** Names that nobody has, within an hour and from so many networks: one network that tries many is slowed down by itself. */
const unknownNames = { least: 30, networks: 5, withinMs: 3_600_000 };
/** How many of the acts within a day are worth an alert. */
const signs: readonly { kind: AlertKind; actions: readonly string[]; least: number }[] = [
  { kind: 'refresh_reuse', actions: ['session.reused'], least: 1 },
  { kind: 'brute_force', actions: ['session.refused', 'second_factor.refused'], least: 20 },
  { kind: 'mass_export', actions: ['export.started', 'export.downloaded', 'audit.exported'], least: 20 },
  { kind: 'past_due', actions: ['retention.failed'], least: 1 },
  { kind: 'clock_ahead', actions: ['retention.put_off'], least: 1 },
];

/** @property organisation its name; null for the desk itself */
export const alertMail: MailTemplate<{ kind: AlertKind; organisation: string | null; link: string }> = {
  name: 'security_alert',
  kind: 'alert',
  write: ({ kind, organisation, link }) => ({
    subject: `Something to look at ${organisation === null ? 'on your desk' : `in ${organisation}`}`,
    blocks: [
      { kind: 'text', text: kinds[kind] },
      { kind: 'button', label: 'Open the trail', href: link },
      {
        kind: 'note',
        text: `You get this because you ${organisation === null ? 'run this desk' : 'own the organisation'}, once a day for each kind of alert.`,
      },
    ],
  }),
};

export interface Watch {
  /** Looks once at every organisation and at the desk's own trail. */
  look(): Promise<void>;
  gauges: Gauge[];
  stop(): void;
}

export function openWatch(house: {
  postgres: Postgres;
  clock: Clock;
  log: Log;
  mail: Pick<Mail, 'send' | 'link'>;
  keys: Pick<KeyRing, 'digest'>;
  vault: Vault;
  audit: Pick<Audit, 'record'>;
  notices: Pick<Notices, 'tell'>;
}): Watch {
  const { postgres, clock, log, mail, keys, notices, audit } = house;
  const counts = new Map<AlertKind, number>();

  async function look(): Promise<void> {
    for (const organisationId of await everyOrganisation(postgres))
      await postgres.tenant(organisationId, async (sql) => {
        for (const kind of await seen(sql, organisationId))
          if (await isFirstToday(sql, `${kind} ${organisationId}`)) await tell(sql, organisationId, kind);
      });
    const { operators, found } = await postgres.system(async (sql) => ({
      operators: await sql.query<{ person_id: number }>('SELECT person_id FROM lookup.every_operator()'),
      found: [
        ...(await suspicious(sql, deskChain)),
        ...((await areNamesTried(sql)) ? (['unknown_names'] as const) : []),
      ],
    }));
    for (const kind of found) {
      let isNew = false;
      for (const { person_id: personId } of operators)
        await postgres.person(personId, async (sql) => {
          if (!(await isFirstToday(sql, `${kind} desk ${personId}`))) return;
          isNew = true;
          await send(sql, personId, { kind, organisation: null, link: '/desk/audit' });
        });
      if (!isNew) continue;
      note(kind, 'desk');
      await postgres.system((sql) => writeDown(sql, 'desk', kind));
    }
  }

  /** The signs within the last day of a trail. Names that nobody has are a kind of their own. */
  async function suspicious(sql: Sql, chain: number): Promise<AlertKind[]> {
    const acts = await sql.query<{ action: string; count: number }>(
      `SELECT action, count(*) AS count FROM audit.entries
       WHERE organisation_id = $1 AND at > $2 AND reason IS DISTINCT FROM 'unknown_name' GROUP BY action`,
      [chain, new Date(clock.now() - dayMs)],
    );
    const sum = (names: readonly string[]) =>
      acts.reduce((total, act) => total + (names.includes(act.action) ? Number(act.count) : 0), 0);
    return signs.filter(({ actions, least }) => sum(actions) >= least).map(({ kind }) => kind);
  }

  /** In a transaction of the desk itself, whose trail sign-ins under names that nobody has are written into. */
  async function areNamesTried(sql: Sql): Promise<boolean> {
    const tried = await sql.one<{ count: number; networks: number }>(
      `SELECT count(*) AS count, count(DISTINCT address) AS networks FROM audit.entries
       WHERE organisation_id = $1 AND at > $2 AND reason = 'unknown_name'`,
      [deskChain, new Date(clock.now() - unknownNames.withinMs)],
    );
    return tried.count >= unknownNames.least && tried.networks >= unknownNames.networks;
  }

  async function seen(sql: Sql, organisationId: number): Promise<AlertKind[]> {
    const canaries = await sql.query(
      "SELECT id FROM api_keys WHERE name ILIKE 'canary%' AND last_used_day >= $1 LIMIT 1",
      [utcDay(clock.now())],
    );
    return [...(await suspicious(sql, organisationId)), ...(canaries.length > 0 ? (['canary_key'] as const) : [])];
  }

  /** Of all processes and over restarts: the table of throttles remembers it for a day. */
  async function isFirstToday(sql: Sql, what: string): Promise<boolean> {
    const now = clock.now();
    const rows = await sql.query(
      `INSERT INTO throttles AS t (digest, count, last_at, forget_at) VALUES ($1, 1, $2, $3)
       ON CONFLICT (digest) DO UPDATE SET last_at = $2, forget_at = $3 WHERE t.forget_at <= $2 RETURNING count`,
      [keys.digest('throttle', `alert\0${what}`), new Date(now), new Date(now + dayMs)],
    );
    return rows.length > 0;
  }

  async function tell(sql: Sql, organisationId: number, kind: AlertKind): Promise<void> {
    note(kind, organisationId);
    await writeDown(sql, organisationId, kind);
    if (drafted.has(kind)) await openDraft(sql, organisationId, { kind, what: kinds[kind], at: new Date(clock.now()) });
    const owners = await sql.query<{ id: number; organisation: string; slug: string }>(
      `SELECT p.id, o.name AS organisation, o.slug FROM memberships m
       JOIN people p ON p.id = m.person_id JOIN organisations o ON o.id = m.organisation_id
       WHERE m.organisation_id = $1 AND m.role = 'owner' ORDER BY p.id`,
      [organisationId],
    );
    for (const { id, organisation, slug } of owners)
      await send(sql, id, { kind, organisation, link: `/o/${slug}/trust/audit` }, organisationId);
  }

  function writeDown(sql: Sql, organisation: number | 'desk', kind: AlertKind): Promise<void> {
    return audit.record(sql, organisation, {
      ...{ action: 'alert.raised', actor: { type: 'system' } },
      targets: [{ type: 'alert', id: kind, label: kind.replaceAll('_', ' ') }],
    });
  }

  function note(kind: AlertKind, organisation: number | 'desk'): void {
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    log.warn('security.alert', { kind, organisation });
  }

  async function send(
    sql: Sql,
    personId: number,
    { kind, organisation, link }: { kind: AlertKind; organisation: string | null; link: string },
    organisationId?: number,
  ): Promise<void> {
    const email = await emailIn(house, sql, personId);
    if (email === undefined) return;
    const about = organisationId === undefined ? {} : { organisationId };
    await notices.tell(sql, personId, { name: 'security_alert', facts: { what: kinds[kind] }, link, ...about });
    const values = { kind, organisation, link: mail.link(link) };
    await mail.send(sql, { template: alertMail, to: email, values, personId, ...about });
  }

  const stop = repeat(clock, lookMs, look, { onError: (error) => log.error('security.look_failed', {}, error) });
  return {
    look,
    stop,
    gauges: [
      {
        name: 'fairlead_security_alerts_total',
        help: 'Alerts about suspicious acts, by kind; each once a day and organisation.',
        kind: 'counter',
        read: () =>
          (Object.keys(kinds) as AlertKind[]).map((kind) => ({ labels: { kind }, value: counts.get(kind) ?? 0 })),
      },
    ],
  };
}
