import type {
  CopiedRecord,
  DataSubject,
  FoundRows,
  HeldRows,
  IdentifierKind,
  PersonalDataHolder,
} from '../../platform/personal_data.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { openPeople, type People } from '../conversions/people.ts';
import { withholdRestricted } from '../routing/withdrawn.ts';
import { removeConversions } from './deletion.ts';

interface Row {
  id: string;
  site_id: number | null;
  event_name: string;
  occurred_at: Date;
  value: string | null;
  currency: string | null;
  facts: Record<string, unknown>;
  present: string[];
  deliveries: { destination: string; state: string }[];
}

/**
 * An identifier that so many tellings share is nobody's own (a shop's own address, a placeholder): it finds what carries it, and leads
 * to no other.
 */
const sharedBy = 200;

/**
 * Tellings that carry an identifier of the subject, and those that share a further one with them: who ordered with an address
 * and a number is found by either, also where only the other was given.
 */
const ofSubject = `WITH named AS (
    SELECT telling_id FROM relay_subjects WHERE organisation_id = current_organisation() AND digest = ANY ($1::bytea[])
  ), others AS (
    SELECT s.digest FROM relay_subjects s JOIN named USING (telling_id) WHERE s.organisation_id = current_organisation()
      AND (SELECT count(*) FROM (SELECT FROM relay_subjects x WHERE x.organisation_id = s.organisation_id AND x.digest = s.digest
        LIMIT ${sharedBy + 1}) AS few) <= ${sharedBy}
  )
  SELECT DISTINCT t.conversion_id FROM relay_tellings t WHERE t.organisation_id = current_organisation() AND t.id IN (
    SELECT telling_id FROM named
    UNION SELECT telling_id FROM relay_subjects WHERE organisation_id = current_organisation() AND digest IN (SELECT digest FROM others))`;

/** Conversions of somebody: facts, sealed identifiers, captured requests, and what was to be sent. */
export function conversionHolder({
  postgres,
  vault,
  settle,
}: Pick<House, 'postgres' | 'vault'> & { readonly settle: () => Promise<boolean> }): PersonalDataHolder {
  const rowsOf = (sql: Sql, who: DataSubject) =>
    sql.query<Row>(
      `SELECT c.id, c.site_id, c.event_name, c.occurred_at, c.value::text AS value, c.currency, c.facts, c.present,
         coalesce((SELECT json_agg(json_build_object('destination', o.name, 'state', d.state) ORDER BY d.id) FROM relay_deliveries d
           JOIN relay_destinations o ON o.id = d.destination_id
           WHERE d.organisation_id = c.organisation_id AND d.conversion_id = c.id), '[]') AS deliveries
       FROM relay_conversions c WHERE c.organisation_id = current_organisation() AND c.id IN (${ofSubject})
       ORDER BY c.received_at, c.id`,
      [who.identifiers.map(({ digest }) => digest)],
    );
  const found = (who: DataSubject) => postgres.tenant(who.organisationId, (sql) => rowsOf(sql, who));
  const people = (who: DataSubject, rows: readonly Row[]): Promise<Map<string, People>> =>
    postgres.tenant(who.organisationId, (sql) =>
      openPeople(
        sql,
        vault,
        who.organisationId,
        rows.map(({ id }) => id),
      ),
    );
  const counted = (rows: readonly Row[]): FoundRows[] =>
    rows.length === 0
      ? []
      : [
          { table: 'postgres relay_conversions', class: 'D6', rows: rows.length },
          { table: 'postgres relay_tellings', class: 'D5', rows: rows.length },
        ];
  const isHeld = ({ site_id }: Row, { siteIds }: HeldRows) => site_id !== null && siteIds.has(site_id);

  return {
    name: 'conversions',
    what: 'conversions of the relay: what was bought or done, the identifiers that came with it, and what was to be sent',
    tables: {
      'postgres relay_conversions': 'D6',
      'postgres relay_identities': 'D6',
      'postgres relay_deliveries': 'D6',
      'postgres relay_tellings': 'D5',
      'postgres relay_subjects': 'D5',
      'postgres relay_captures': 'D5',
    },
    async find(who) {
      const rows = await found(who);
      const known: { kind: IdentifierKind; value: string }[] = [];
      for (const { raw } of (await people(who, rows)).values()) {
        for (const value of [raw?.email ?? []].flat()) known.push({ kind: 'email', value });
        for (const value of [raw?.phone ?? []].flat()) known.push({ kind: 'phone', value });
        for (const value of [raw?.external_id ?? []].flat()) known.push({ kind: 'external-id', value });
      }
      return { rows: counted(rows), known };
    },
    async copy(who) {
      const rows = await found(who);
      const opened = await people(who, rows);
      return rows.flatMap((row): CopiedRecord[] => {
        const raw = opened.get(row.id)?.raw ?? {};
        return [
          {
            ...{ table: 'postgres relay_conversions', class: 'D6' },
            record: {
              ...{ event: row.event_name, at: row.occurred_at.toISOString(), value: row.value, currency: row.currency },
              ...{ page: textOf(row.facts.page_url), order: textOf(row.facts.order_id) },
              click_ids: JSON.stringify(row.facts.click_ids ?? {}),
              sent_to: row.deliveries.map(({ destination, state }) => `${destination} (${state})`).join(', '),
            },
          },
          {
            ...{ table: 'postgres relay_tellings', class: 'D5' },
            record: {
              came_with: row.present.join(', '),
              ...Object.fromEntries(
                Object.entries(raw).map(([name, value]) => [
                  name,
                  Array.isArray(value) ? value.join(', ') : String(value),
                ]),
              ),
            },
          },
        ];
      });
    },
    async eraseBefore() {
      // What was acknowledged before they asked is theirs, too. The run waits, and is gone on with.
      if (!(await settle())) throw new Error('Conversions that were taken in before are not stored yet.');
      return { gone: [], kept: [] };
    },
    async erase(sql, who, held) {
      const rows = await rowsOf(sql, who);
      const free = rows.filter((row) => !isHeld(row, held));
      const kept = rows.filter((row) => isHeld(row, held));
      const gone = await removeConversions(
        sql,
        vault,
        who.organisationId,
        free.map(({ id }) => id),
      );
      return {
        gone: [
          {
            table: 'postgres relay_conversions',
            class: 'D6' as const,
            rows: gone.conversions,
            how: 'deleted' as const,
          },
          {
            table: 'postgres relay_tellings',
            class: 'D5' as const,
            rows: gone.tellings,
            how: 'key destroyed' as const,
          },
          { table: 'postgres relay_deliveries', class: 'D6' as const, rows: gone.deliveries, how: 'deleted' as const },
          {
            table: 'postgres relay_captures',
            class: 'D5' as const,
            rows: gone.captures,
            how: 'key destroyed' as const,
          },
        ].filter((one) => one.rows > 0),
        kept: [...Map.groupBy(kept, ({ site_id }) => Number(site_id))].map(([site, some]) => ({
          ...{ table: 'postgres relay_conversions', class: 'D6' as const, rows: some.length },
          ...{ why: 'A legal hold keeps what belongs to this site.', hold: held.siteIds.get(site) },
        })),
      };
    },
    async left(who, held) {
      return counted((await found(who)).filter((row) => !isHeld(row, held)));
    },
    whileRestricted: 'conversions stay, and nothing of them is sent: what waited is withheld, and so is what comes',
    async restrict(sql, who) {
      // Locked first and in the order in which senders lock them, as where somebody says no (routing/withdrawn.ts).
      const theirs = await sql.query<{ id: string }>(
        `SELECT c.id FROM relay_conversions c WHERE c.organisation_id = current_organisation() AND c.id IN (${ofSubject})
         ORDER BY c.id FOR NO KEY UPDATE OF c`,
        [who.identifiers.map(({ digest }) => digest)],
      );
      await withholdRestricted(sql, { organisationId: who.organisationId, ids: theirs.map(({ id }) => id) });
    },
  };
}

function textOf(given: unknown): string | null {
  return given === undefined || given === null ? null : String(given);
}
