import { z } from 'zod';
import { type SelfAudit, selfAudit } from '../../contract/self_audit.ts';
import { repeat } from '../platform/clock.ts';
import { defineRoute, type Route } from '../platform/http/route.ts';
import type { House } from '../platform/subject.ts';
import { findUnclassified, findUnguarded, readPostgresColumns } from '../trust/classes/index.ts';
import { type Finding, standingFindings } from './doctor.ts';

/**
 * Once a day the desk looks at its own guards (OPS-03): what the doctor looks at while nothing is running, and whether
 * every table is still bound by row security and every column still has a class. The result is stored, so that it can be
 * shown that it was looked at.
 */
const firstMs = 10 * 60_000;
const dayMs = 86_400_000;
const shownMax = 30;

type Parts = Pick<House, 'config' | 'postgres' | 'clock'>;

/** @returns the way to call it off */
export function scheduleSelfAudit(house: House): () => void {
  return repeat(house.clock, dayMs, () => auditSelf(house), {
    firstMs,
    onError: (error) => house.log.error('self_audit.failed', {}, error),
  });
}

/** Looks once, writes down what was found, and lets go of what is older than a year. */
export async function auditSelf({ config, postgres, clock }: Parts): Promise<SelfAudit> {
  const catalogue = await postgres.system(async (sql) => [
    ...(await findUnguarded(sql)),
    ...findUnclassified(await readPostgresColumns(sql)),
  ]);
  const findings: Finding[] = [
    ...standingFindings(config),
    catalogue.length === 0
      ? { what: 'row security', state: 'ok', fact: 'every table is bound to its owner, every column has a class' }
      : { what: 'row security', state: 'wrong', fact: catalogue.slice(0, 5).join(' '), todo: 'Run fairlead migrate.' },
  ];
  const states = findings.map(({ state }) => state);
  const worst = states.includes('wrong') ? 'wrong' : states.includes('look') ? 'look' : 'ok';
  const now = new Date(clock.now());
  await postgres.system((sql) =>
    sql.run('INSERT INTO self_audits (made_at, worst, findings) VALUES ($1, $2, $3)', [
      now,
      worst,
      JSON.stringify(findings),
    ]),
  );
  await postgres.retention((sql) => sql.one('SELECT retention.delete_old_self_audits($1) AS gone', [now]));
  return { made_at: now.toISOString(), worst, findings };
}

/** The last looks, the newest first. */
export async function readSelfAudits({ postgres }: Pick<House, 'postgres'>, most = shownMax): Promise<SelfAudit[]> {
  const rows = await postgres.system((sql) =>
    sql.query<{ made_at: Date; worst: SelfAudit['worst']; findings: Finding[] }>(
      'SELECT made_at, worst, findings FROM self_audits ORDER BY id DESC LIMIT $1',
      [most],
    ),
  );
  return rows.map((row) => ({ ...row, made_at: row.made_at.toISOString() }));
}

export function selfAuditRoutes(house: House): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/self-audits',
      access: 'operator',
      summary: 'What the daily look at the guards of this desk found, the newest first.',
      answer: z.object({ audits: z.array(selfAudit) }),
      handle: async () => ({ body: { audits: await readSelfAudits(house) } }),
    }),
  ];
}
