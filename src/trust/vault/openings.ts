import type { Audit } from '../../platform/audit.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Postgres, Sql } from '../../platform/postgres/index.ts';
import type { Place, Use } from '../../platform/vault.ts';

const hourMs = 3_600_000;
/** Openings that this process knows to be written down; forgetting one costs a statement and no second line. */
const knownMax = 10_000;

/** Sees to it that the trail says what each connector secret was opened for, once per purpose, row and hour (CRY-09). */
export function openOpenings(house: {
  postgres: Pick<Postgres, 'tenant' | 'system'>;
  clock: Pick<Clock, 'now'>;
  audit: () => Audit;
}) {
  const { postgres, clock, audit } = house;
  let known = new Map<string, number>();

  return async function note(place: Place, { purpose, sql }: Use): Promise<void> {
    const hour = Math.floor(clock.now() / hourMs) * hourMs;
    const name = JSON.stringify([place.organisationId, place.table, place.column, String(place.row), purpose]);
    if (known.get(name) === hour) return;
    const { organisationId } = place;
    const work = (own: Sql) => write(own, place, purpose, new Date(hour));
    if (sql !== undefined) await work(sql);
    else if (organisationId === 'desk') await postgres.system(work);
    else await postgres.tenant(organisationId, work);
    // What the caller's transaction wrote may yet be undone by it.
    if (sql !== undefined) return;
    if (known.size >= knownMax) known = new Map();
    known.set(name, hour);
  };

  async function write(sql: Sql, place: Place, purpose: string, hour: Date): Promise<void> {
    const { organisationId, table, column, row } = place;
    const isFirst = await sql.run(
      `INSERT INTO secret_openings (organisation_id, table_name, column_name, row_id, purpose, opened_hour)
       VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (organisation_id, table_name, column_name, row_id, purpose)
       DO UPDATE SET opened_hour = excluded.opened_hour WHERE secret_openings.opened_hour < excluded.opened_hour`,
      [organisationId === 'desk' ? null : organisationId, table, column, String(row), purpose, hour],
    );
    if (isFirst === 0) return;
    await audit().record(sql, organisationId, {
      action: 'secret.opened',
      actor: { type: 'system' },
      targets: [{ type: table, id: row }],
      details: { column, purpose },
    });
  }
}
