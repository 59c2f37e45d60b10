import { type Clock, repeat } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import type { Operation, Operations } from '../../platform/operations.ts';
import { type Postgres, PostgresAway } from '../../platform/postgres/index.ts';
import type { Gauge } from '../../platform/subject.ts';
import type { Vault } from '../../platform/vault.ts';
import { networkOf } from '../audit/index.ts';

/** What waits for the database: about 4 MB. What comes on top is counted and lost. */
export const waitingMax = 10_000;
const flushMs = 1_000;
/** Lines in one statement. */
const batchMax = 500;
const namesMax = 10_000;
const pseudonymBytes = 16;

type Owner = number | 'desk';
type Line = Operation & { at: string };

export interface Writer extends Operations {
  /** Resolves when everything so far is in the database, or was lost. */
  flush(): Promise<void>;
  /** Lines that this process could not keep. */
  lost(): number;
  gauges: Gauge[];
  stop(): Promise<void>;
}

/**
 * Writes the operations log in the background, a second's lines of an organisation in one statement. Whoever notes one
 * waits for nothing. While the database is away lines wait, as many as there is room for; a stop writes what is left.
 */
export function openWriter(parts: {
  clock: Clock;
  log: Log;
  /** Both come up later than those who note: until then lines wait. */
  stores: () => { postgres: Postgres; vault: Pick<Vault, 'subject'> } | undefined;
}): Writer {
  const { clock, log, stores } = parts;
  let waiting: Line[] = [];
  let written = 0;
  let lost = 0;
  let isSaid = false;
  let flushing: Promise<void> = Promise.resolve();
  const names = new Map<string, string>();

  function lose(count: number, why: string): void {
    lost += count;
    if (!isSaid) log.warn('operations.lost', { why });
    isSaid = true;
  }

  async function pseudonym(owner: Owner, id: number): Promise<string> {
    const key = `${owner} ${id}`;
    const known = names.get(key);
    if (known !== undefined) return known;
    const name = await pseudonymOf(stores()?.vault as Pick<Vault, 'subject'>, owner, id);
    if (names.size >= namesMax) names.clear();
    names.set(key, name);
    return name;
  }

  async function rowOf(owner: Owner, line: Line) {
    const { actor, object } = line;
    const isPerson = object?.kind === 'person';
    return {
      at: line.at,
      kind: line.kind,
      action: line.action.slice(0, 200),
      site_id: line.siteId ?? null,
      actor_type: actor?.type ?? null,
      actor: actor === undefined ? null : actor.type === 'person' ? await pseudonym(owner, actor.id) : String(actor.id),
      object_kind: object?.kind.slice(0, 60) ?? null,
      object_id:
        object === undefined ? null : isPerson ? await pseudonym(owner, Number(object.id)) : object.id.slice(0, 255),
      request_id: line.requestId ?? null,
      outcome: line.outcome,
      code: line.code ?? null,
      ms: line.ms === undefined ? null : Math.round(line.ms),
      browser: line.browser ?? null,
      network: line.address === undefined ? null : networkOf(line.address),
    };
  }

  async function put(organisationId: number | undefined, lines: Line[]): Promise<void> {
    const { postgres } = stores() as { postgres: Postgres };
    const rows = [];
    for (const line of lines) rows.push(await rowOf(organisationId ?? 'desk', line));
    const params = [organisationId ?? null, JSON.stringify(rows)];
    if (organisationId === undefined) await postgres.system((sql) => sql.run(insert, params));
    else await postgres.tenant(organisationId, (sql) => sql.run(insert, params));
  }

  async function flushOnce(): Promise<void> {
    if (stores() === undefined) return;
    const all = waiting;
    waiting = [];
    const batches = [...Map.groupBy(all, ({ organisationId }) => organisationId)].flatMap(([organisationId, lines]) =>
      Array.from({ length: Math.ceil(lines.length / batchMax) }, (_, index) => ({
        organisationId,
        lines: lines.slice(index * batchMax, (index + 1) * batchMax),
      })),
    );
    const again: Line[] = [];
    for (const { organisationId, lines } of batches)
      try {
        // Once the database is known to be away the rest waits for the next second.
        if (again.length > 0) again.push(...lines);
        else {
          await put(organisationId, lines);
          written += lines.length;
          isSaid = false;
        }
      } catch (error) {
        if (error instanceof PostgresAway) again.push(...lines);
        else lose(lines.length, String((error as { code?: unknown }).code ?? (error as Error).name));
      }
    const kept = again.slice(0, waitingMax - waiting.length);
    if (kept.length < again.length) lose(again.length - kept.length, 'full');
    waiting = [...kept, ...waiting];
  }

  function flush(): Promise<void> {
    flushing = flushing.then(flushOnce);
    return flushing;
  }

  const stopFlushing = repeat(clock, flushMs, flush, {
    onError: (error) => log.error('operations.flush_failed', {}, error),
  });
  return {
    note(operation) {
      if (waiting.length >= waitingMax) lose(1, 'full');
      else waiting.push({ ...operation, at: new Date(clock.now()).toISOString() });
    },
    flush,
    lost: () => lost,
    gauges: [
      {
        name: 'fairlead_operations_lines_total',
        help: 'Lines of the operations log, by what became of them.',
        kind: 'counter',
        read: () => [
          { labels: { end: 'written' }, value: written },
          { labels: { end: 'lost' }, value: lost },
        ],
      },
    ],
    async stop() {
      stopFlushing();
      await flush();
      if (waiting.length > 0) lose(waiting.length, 'stop');
    },
  };
}

/** The name of a person in this log and in the audit log of the same organisation. */
export async function pseudonymOf(vault: Pick<Vault, 'subject'>, owner: Owner, personId: number): Promise<string> {
  return (await vault.subject(owner, 'person', String(personId))).subarray(0, pseudonymBytes).toString('hex');
}

const insert = `
  WITH given AS (
    SELECT nextval('operations_id_seq') AS id, r.* FROM jsonb_to_recordset($2::jsonb) AS r(
      at timestamptz, kind text, action text, site_id bigint, actor_type text, actor text, object_kind text, object_id text,
      request_id text, outcome text, code text, ms int, browser text, network text)
  ), kept AS (
    INSERT INTO operations (id, organisation_id, at, kind, action, site_id, actor_type, actor, object_kind, object_id,
      request_id, outcome, code, ms, browser)
    SELECT id, $1::bigint, at, kind, action, site_id, actor_type, actor, object_kind, object_id, request_id, outcome, code,
      ms, browser FROM given
  )
  INSERT INTO operation_networks (operation_id, organisation_id, at, network)
  SELECT id, $1::bigint, at, network FROM given WHERE network IS NOT NULL`;
