import { type Clock, repeat } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Mail, MailTemplate } from '../platform/mail/index.ts';
import type { Postgres, Sql } from '../platform/postgres/index.ts';
import type { Gauge, KeyRing } from '../platform/subject.ts';
import type { Vault } from '../platform/vault.ts';
import type { Notices } from './mail/index.ts';
import { emailIn } from './people/person.ts';

/**
 * Looks for what somebody should know of (OPS-01): every minute it reads what each organisation's trail says of the last
 * day, and tells the owners by mail, once a day and kind. It reads what others wrote down, so that no act can forget to
 * tell it.
 */
const kinds = {
  refresh_reuse: 'A session was copied: somebody presented a token that had been replaced. The session was ended.',
  brute_force: 'Somebody tries many passwords for accounts of this organisation. Each further try costs them work.',
  mass_export: 'Much more was exported than on an ordinary day.',
  canary_key:
    'An API key was used that nobody has a reason to use: its name begins with "canary". Whoever has it has read where it lay.',
} as const;
type AlertKind = keyof typeof kinds;

const lookMs = 60_000;
const dayMs = 86_400_000;
/** How many of the acts within a day are worth an alert. */
const signs: readonly { kind: AlertKind; actions: readonly string[]; least: number }[] = [
  { kind: 'refresh_reuse', actions: ['session.reused'], least: 1 },
  { kind: 'brute_force', actions: ['session.refused', 'second_factor.refused'], least: 20 },
  { kind: 'mass_export', actions: ['export.started', 'export.downloaded', 'audit.exported'], least: 20 },
];

export const alertMail: MailTemplate<{ kind: AlertKind; organisation: string; link: string }> = {
  name: 'security_alert',
  kind: 'alert',
  write: ({ kind, organisation, link }) => ({
    subject: `Something to look at in ${organisation}`,
    blocks: [
      { kind: 'text', text: kinds[kind] },
      { kind: 'button', label: 'Open the trail', href: link },
      { kind: 'note', text: 'You get this because you own the organisation, once a day for each kind of alert.' },
    ],
  }),
};

export interface Watch {
  /** Looks once at every organisation. */
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
  notices: Pick<Notices, 'tell'>;
}): Watch {
  const { postgres, clock, log, mail, keys, notices } = house;
  const counts = new Map<AlertKind, number>();

  async function look(): Promise<void> {
    const organisations = await postgres.system((sql) =>
      sql.query<{ organisation_id: number }>('SELECT organisation_id FROM lookup.every_organisation()'),
    );
    for (const { organisation_id: organisationId } of organisations)
      await postgres.tenant(organisationId, async (sql) => {
        for (const kind of await seen(sql, organisationId))
          if (await isFirstToday(sql, `${kind} ${organisationId}`)) await tell(sql, organisationId, kind);
      });
  }

  async function seen(sql: Sql, organisationId: number): Promise<AlertKind[]> {
    const since = new Date(clock.now() - dayMs);
    const acts = await sql.query<{ action: string; count: number }>(
      'SELECT action, count(*) AS count FROM audit.entries WHERE organisation_id = $1 AND at > $2 GROUP BY action',
      [organisationId, since],
    );
    const canaries = await sql.query(
      "SELECT id FROM api_keys WHERE name ILIKE 'canary%' AND last_used_day >= $1 LIMIT 1",
      [new Date(clock.now()).toISOString().slice(0, 10)],
    );
    const sum = (names: readonly string[]) =>
      acts.reduce((total, act) => total + (names.includes(act.action) ? Number(act.count) : 0), 0);
    return [
      ...signs.filter(({ actions, least }) => sum(actions) >= least).map(({ kind }) => kind),
      ...(canaries.length > 0 ? (['canary_key'] as const) : []),
    ];
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
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    log.warn('security.alert', { kind, organisation: organisationId });
    const owners = await sql.query<{ id: number; organisation: string; slug: string }>(
      `SELECT p.id, o.name AS organisation, o.slug FROM memberships m
       JOIN people p ON p.id = m.person_id JOIN organisations o ON o.id = m.organisation_id
       WHERE m.organisation_id = $1 AND m.role = 'owner' ORDER BY p.id`,
      [organisationId],
    );
    for (const { id, organisation, slug } of owners) {
      const email = await emailIn(house, sql, id);
      if (email === undefined) continue;
      const link = `/o/${slug}/trust/audit`;
      await notices.tell(sql, id, { name: 'security_alert', facts: { what: kinds[kind] }, link, organisationId });
      await mail.send(sql, {
        template: alertMail,
        to: email,
        values: { kind, organisation, link: mail.link(link) },
        personId: id,
        organisationId,
      });
    }
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
