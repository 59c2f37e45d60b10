import type { Executor, WindowAsk } from '../../platform/executor.ts';
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
           hex(groupBitXor(sipHash64(id))) AS digest FROM relay_intake WHERE ${sql}`,
        bound,
        { purpose: 'retention', seconds: scanSeconds },
      );
      const rows = Number(row?.rows ?? 0);
      if (rows > 0)
        found = {
          rows: found.rows + rows,
          oldestMs: Math.min(found.oldestMs, Number(row?.oldest)),
          digest: `${found.digest}${row?.digest}`,
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
    ...{ line: 'relay-intake', of: 'organisations', works: 'before it' },
    async due(ask: WindowAsk) {
      const { rows, oldestMs } = await oldOf(ask);
      return rows === 0 ? [] : [{ table: 'relay_intake', rows, oldestMs, isHeld: ask.holds.everything }];
    },
    async end(ask: WindowAsk) {
      if (ask.holds.everything) return [];
      const gone = await oldOf(ask);
      if (gone.rows === 0) return [];
      for (const { sql, bound } of await questions(ask))
        for (const text of inDialect(`ALTER TABLE {{table:relay_intake}} DELETE WHERE ${sql}`, warehouse.cluster))
          await warehouse.command(text, bound, { background: true, purpose: 'retention' });
      return [{ table: 'relay_intake', ...gone }];
    },
  };
}

function textOf(cutMs: number): string {
  return new Date(cutMs).toISOString().slice(0, 19).replace('T', ' ');
}
