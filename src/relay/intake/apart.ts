import type { Sql } from '../../platform/postgres/index.ts';
import type { ConversionRecord } from './record.ts';

/** A record with the conversion that it tells of: its own, or one that was told of before. */
export interface Told {
  readonly record: ConversionRecord;
  readonly conversion: string;
  readonly isNew: boolean;
}

/** From the first to the last telling of a conversion that is there, or the moment of one that comes. Milliseconds since 1970. */
interface Span {
  readonly from: number;
  readonly to: number;
  readonly conversion: string;
  /** Undefined: it is there. */
  readonly record?: ConversionRecord;
}

/**
 * Which conversion each of these tells of. An order or an id names one whenever it comes. The same words are one conversion as long as
 * each of its tellings is within the minutes of its source of another one, in whatever order they are loaded: a late segment and
 * requests that are taken again come after what was told after them. Where two conversions were made already and a telling between
 * them comes afterwards, nothing can be undone, since both may have been sent: it is counted as one of the earlier.
 *
 * Within one transaction at a time of an organisation, so that two of one conversion never both are the first.
 */
export async function tellApart(sql: Sql, records: readonly ConversionRecord[]): Promise<Told[]> {
  const known = await knownSpans(sql, records);
  const told = new Map<ConversionRecord, Told>();
  for (const [digest, same] of Map.groupBy(records, ({ identity }) => identity.digest)) {
    const coming = same.map((record): Span => ({ from: record.at, to: record.at, conversion: record.id, record }));
    for (const run of runsOf([...(known.get(digest) ?? []), ...coming], Math.max(...same.map(apartMs)))) {
      const first = run.find(({ record }) => record === undefined) ?? run[0];
      for (const { record } of run)
        if (record !== undefined && first !== undefined)
          told.set(record, { record, conversion: first.conversion, isNew: record === first.record });
    }
  }
  return records.map((record) => told.get(record) as Told);
}

function isByWords({ identity: { kind } }: ConversionRecord): boolean {
  return kind === 'words';
}

/** How far apart two tellings of one conversion may be that nothing is between. */
function apartMs(record: ConversionRecord): number {
  return isByWords(record) ? record.identity.minutes * 60_000 : Number.POSITIVE_INFINITY;
}

/** Spans that lie no further apart than that, each run in the order of time. */
function runsOf(spans: readonly Span[], apart: number): Span[][] {
  const runs: Span[][] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    const run = runs.at(-1);
    if (run !== undefined && span.from - end <= apart) run.push(span);
    else runs.push([span]);
    end = Math.max(end, span.to);
  }
  return runs;
}

/** By identity: the conversion that an order or an id names. */
export const namedIdentities = `SELECT encode(known.identity, 'hex') AS identity, known.conversion_id, known.last_at
  FROM unnest($1::bytea[]) AS given(identity)
  CROSS JOIN LATERAL (SELECT i.identity, i.conversion_id, i.last_at FROM relay_identities i
    WHERE i.organisation_id = current_organisation() AND i.identity = given.identity LIMIT 1) AS known`;

/**
 * By identity and moment before which nothing counts: of the conversions of the same words the one that ended first since then. All
 * others end later and begin later, and what is near to one of them and not to this is a run of its own.
 */
export const nearestIdentities = `SELECT encode(known.identity, 'hex') AS identity, known.conversion_id, known.last_at
  FROM unnest($1::bytea[], $2::timestamptz[]) AS given(identity, since)
  CROSS JOIN LATERAL (SELECT i.identity, i.conversion_id, i.last_at FROM relay_identities i
    WHERE i.organisation_id = current_organisation() AND i.identity = given.identity AND i.last_at >= given.since
    ORDER BY i.last_at LIMIT 1) AS known`;

/** By conversion: when it was told first. Asked only of those that a telling before their last one may belong to. */
export const firstTellings = `SELECT given.id, (SELECT min(t.received_at) FROM relay_tellings t
    WHERE t.organisation_id = current_organisation() AND t.conversion_id = given.id) AS first_at
  FROM unnest($1::uuid[]) AS given(id)`;

interface KnownIdentity {
  readonly identity: string;
  readonly conversion_id: string;
  readonly last_at: Date;
}

/** By identity: conversions that are there and that one of these may tell of. */
async function knownSpans(sql: Sql, records: readonly ConversionRecord[]): Promise<Map<string, Span[]>> {
  const [words, named] = [records.filter(isByWords), records.filter((record) => !isByWords(record))];
  const digests = (some: readonly ConversionRecord[]) =>
    some.map(({ identity }) => Buffer.from(identity.digest, 'hex'));
  const rows = [
    ...(named.length === 0 ? [] : await sql.query<KnownIdentity>(namedIdentities, [digests(named)])),
    ...(words.length === 0
      ? []
      : await sql.query<KnownIdentity>(nearestIdentities, [digests(words), words.map(sinceOf)])),
  ];
  const lasts = new Map(rows.map((row) => [row.conversion_id, { identity: row.identity, at: row.last_at.getTime() }]));
  if (lasts.size === 0) return new Map();
  const byIdentity = Map.groupBy(lasts, ([, { identity }]) => identity);
  const early = new Set<string>();
  for (const record of records)
    for (const [conversion, { at }] of byIdentity.get(record.identity.digest) ?? [])
      if (record.at < at - apartMs(record)) early.add(conversion);
  const firsts = early.size === 0 ? new Map<string, number>() : await firstOf(sql, [...early]);
  return new Map(
    [...byIdentity].map(([identity, all]) => [
      identity,
      all.map(([conversion, { at: to }]): Span => ({ from: firsts.get(conversion) ?? to, to, conversion })),
    ]),
  );
}

/** A file has no such minutes: its words are the same conversion however much later it is sent again. */
function sinceOf(record: ConversionRecord): Date | '-infinity' {
  const apart = apartMs(record);
  return Number.isFinite(apart) ? new Date(record.at - apart) : '-infinity';
}

async function firstOf(sql: Sql, conversions: readonly string[]): Promise<Map<string, number>> {
  const rows = await sql.query<{ id: string; first_at: Date | null }>(firstTellings, [conversions]);
  return new Map(rows.flatMap(({ id, first_at }) => (first_at === null ? [] : [[id, first_at.getTime()] as const])));
}

/** Each conversion keeps the moment in which it was told last, whatever else had the same words. */
export async function writeIdentities(sql: Sql, told: readonly Told[]): Promise<void> {
  const last = new Map<string, Told>();
  for (const one of told) {
    const key = `${one.record.identity.digest} ${one.conversion}`;
    if (one.record.at >= (last.get(key)?.record.at ?? Number.NEGATIVE_INFINITY)) last.set(key, one);
  }
  const all = [...last.values()];
  await sql.run(
    `INSERT INTO relay_identities (organisation_id, identity, conversion_id, last_at)
     SELECT current_organisation(), i.identity, i.conversion, i.at
     FROM unnest($1::bytea[], $2::uuid[], $3::timestamptz[]) AS i(identity, conversion, at)
     ON CONFLICT (organisation_id, identity, conversion_id) DO UPDATE
       SET last_at = greatest(relay_identities.last_at, excluded.last_at)`,
    [
      all.map(({ record }) => Buffer.from(record.identity.digest, 'hex')),
      all.map(({ conversion }) => conversion),
      all.map(({ record }) => new Date(record.at)),
    ],
  );
}
