import type { DataSubject, IdentifierKind, PersonalDataHolder } from '../../platform/personal_data.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';

const table = 'postgres subject_requests';
/** The run of an erasure: counts, and digests of whom. */
const runs = [
  'erasure_runs',
  'erasure_subjects',
  'erasure_steps',
  'erasure_receipts',
  'request_archives',
  'request_asks',
  'restrictions',
  'request_receipts',
];

/** The register itself: what somebody asked before. A closed request has no more than digests of them (class D24). */
export function requestHolder({ postgres }: Pick<House, 'postgres'>): PersonalDataHolder {
  const digests = (who: DataSubject, kind: IdentifierKind) =>
    who.identifiers.filter((one) => one.kind === kind).map(({ digest }) => digest);
  const rowsOf = <Row extends object>(sql: Sql, who: DataSubject, columns: string) =>
    sql.query<Row>(
      `SELECT ${columns} FROM subject_requests WHERE email_digest = ANY ($1) OR phone_digest = ANY ($2)
         OR external_digest = ANY ($3) ORDER BY id`,
      [digests(who, 'email'), digests(who, 'phone'), digests(who, 'external-id')],
    );
  const openOf = async (sql: Sql, who: DataSubject) =>
    (await rowsOf<{ is_open: boolean }>(sql, who, 'closed_at IS NULL AS is_open')).filter((row) => row.is_open).length;
  return {
    name: 'requests',
    what: 'their requests',
    tables: { [table]: 'D24', ...Object.fromEntries(runs.map((one) => [`postgres ${one}`, 'D24'])) },
    async find(who) {
      const rows = await postgres.tenant(who.organisationId, (sql) => rowsOf(sql, who, 'id'));
      return { rows: rows.length === 0 ? [] : [{ table, class: 'D24', rows: rows.length }] };
    },
    whileRestricted: 'what they asked is answered',
    async copy(who) {
      const rows = await postgres.tenant(who.organisationId, (sql) =>
        rowsOf<Record<string, string | number | Date | null>>(
          sql,
          who,
          'id, kind, state, received_on::text, due_on::text, checked_at, closed_at',
        ),
      );
      return rows.map((row) => ({
        ...{ table, class: 'D24' as const },
        record: Object.fromEntries(
          Object.entries(row).map(([name, value]) => [name, value instanceof Date ? value.toISOString() : value]),
        ),
      }));
    },
    async erase(sql, who) {
      // The list of a restriction stays, or it could not be honoured; whom to tell of its end goes.
      await sql.run(
        `UPDATE restrictions SET email_sealed = NULL WHERE id IN
           (SELECT restriction_id FROM restricted_identifiers WHERE digest = ANY ($1))`,
        [who.identifiers.map(({ digest }) => digest)],
      );
      // The one that asks for it is closed with its answer, and has nothing but digests then.
      const others = (await openOf(sql, who)) - 1;
      const why = 'other open requests keep, sealed, whom to answer, until they are answered';
      return { gone: [], kept: others <= 0 ? [] : [{ table, class: 'D24', rows: others, why }] };
    },
    // That a closed one has nothing sealed any more is a constraint of the table.
    left: async () => [],
  };
}
