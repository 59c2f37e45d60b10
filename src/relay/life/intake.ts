import type { Ended, Executor, WindowAsk } from '../../platform/executor.ts';
import type { House } from '../../platform/subject.ts';
import { inDialect } from '../../platform/warehouse/index.ts';
import { dayMs } from '../../platform/zone.ts';

const scanSeconds = 600;

interface Old {
  rows: number;
  oldestMs: number;
  digest: string;
}

/** Lines of the intake log after 90 days, or as many as their source keeps. */
export function intakeExecutor({ postgres, warehouse }: Pick<House, 'postgres' | 'warehouse'>): Executor {
  /** Sources with a cut-off each; what belongs to a source that was deleted goes by the longest window. */
  async function cutsOf({ organisationId, cutMs, nowMs }: WindowAsk) {
    if (organisationId === null) return [];
    const sources = await postgres.tenant(organisationId, (sql) =>
      sql.query<{ id: number; intake_days: number }>('SELECT id, intake_days FROM relay_sources ORDER BY id'),
    );
    const own = sources.map(({ id, intake_days }) => ({ id, cutMs: Math.max(cutMs, nowMs - intake_days * dayMs) }));
    return [...Map.groupBy(own, (one) => one.cutMs)].map(([cut, some]) => ({
      cut: textOf(cut),
      sources: some.map(({ id }) => id),
    }));
  }
  const old = 'organisation_id = {organisation:UInt64} AND at < {cut:DateTime}';
  const params = (organisation: number, cut: string, sources: readonly number[]) => ({ organisation, cut, sources });

  async function oldOf(ask: WindowAsk): Promise<Old> {
    let found: Old = { rows: 0, oldestMs: Number.POSITIVE_INFINITY, digest: '' };
    for (const { sql, bound } of await questions(ask)) {
      const [row] = await warehouse.read<{ rows: string; oldest: string; digest: string }>(
        `SELECT count() AS rows, toUnixTimestamp(min(relay_intake.at)) * 1000 AS oldest,
           lower(hex(groupBitXor(sipHash64(id)))) AS digest FROM relay_intake WHERE ${sql}`,
        bound,
        { purpose: 'retention', seconds: scanSeconds },
      );
      const rows = Number(row?.rows ?? 0);
      if (rows > 0)
        found = {
          rows: found.rows + rows,
          oldestMs: Math.min(found.oldestMs, Number(row?.oldest)),
          digest: laidOver(found.digest, row?.digest ?? ''),
        };
    }
    return found;
  }
  async function questions(ask: WindowAsk) {
    if (ask.organisationId === null) return [];
    const organisation = ask.organisationId;
    const cuts = await cutsOf(ask);
    const known = cuts.flatMap(({ sources }) => sources);
    return [
      ...cuts.map(({ cut, sources }) => ({
        sql: `${old} AND source_id IN {sources:Array(UInt64)}`,
        bound: params(organisation, cut, sources),
      })),
      {
        sql: `${old} AND source_id NOT IN {sources:Array(UInt64)}`,
        bound: params(organisation, textOf(ask.cutMs), known),
      },
    ];
  }
  return {
    ...{ line: 'relay-intake', of: 'organisations', works: 'together' },
    async due(ask: WindowAsk) {
      const { rows, oldestMs } = await oldOf(ask);
      return rows === 0 ? [] : [{ table: 'relay_intake', rows, oldestMs, isHeld: ask.holds.everything }];
    },
    async end(asks: readonly WindowAsk[]) {
      const where: string[] = [];
      const bound: Record<string, unknown> = {};
      const gone: Ended[][] = [];
      for (const ask of asks) {
        const old = ask.holds.everything ? undefined : await oldOf(ask);
        gone.push(old === undefined || old.rows === 0 ? [] : [{ table: 'relay_intake', ...old }]);
        if (old === undefined || old.rows === 0) continue;
        for (const one of await questions(ask)) {
          const at = where.length;
          where.push(`(${one.sql.replaceAll(/\{(\w+):/g, `{$1${at}:`)})`);
          for (const [name, value] of Object.entries(one.bound)) bound[`${name}${at}`] = value;
        }
      }
      // A removal costs by the parts of the table, and not by what goes: one for everybody.
      if (where.length > 0)
        for (const text of inDialect(
          `ALTER TABLE {{table:relay_intake}} DELETE WHERE ${where.join(' OR ')}`,
          warehouse.cluster,
        ))
          await warehouse.command(text, bound, { background: true, purpose: 'retention' });
      return gone;
    },
  };
}

function textOf(cutMs: number): string {
  return new Date(cutMs).toISOString().slice(0, 19).replace('T', ' ');
}

/** Digests of several groups, one over the other, so that their order is none. */
function laidOver(a: string, b: string): string {
  return (BigInt(`0x${a || '0'}`) ^ BigInt(`0x${b || '0'}`)).toString(16).padStart(16, '0');
}
