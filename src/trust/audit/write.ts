import type { Act, Actor, Audit } from '../../platform/audit.ts';
import type { Clock } from '../../platform/clock.ts';
import { shownName } from '../../platform/email.ts';
import { prepared, type Sql, type Statement } from '../../platform/postgres/index.ts';
import { type Random, uuidOf } from '../../platform/random.ts';
import { type Place, type Vault, VaultError } from '../../platform/vault.ts';
import { actions, isAction } from './actions.ts';
import { commitment, type Entry, entryDigest, sha256 } from './entry.ts';
import { networkOf } from './network.ts';

/** Acts in one call; more would hold the chain for longer than others should wait. */
export const actsMax = 1_000;
/** What one act may say. A longer text is cut and ends with an ellipsis; more members are a fault of the caller. */
export const textLengthMax = 500;
export const detailsMax = 50;
export const targetsMax = 100;
/** How long a name that was read stays good for further acts of the same actor, and for how many actors. */
const namedMs = 5 * 60_000;
const namedMax = 10_000;
const saltBytes = 16;
const pseudonymBytes = 16;

export interface Parts {
  vault: Vault;
  clock: Clock;
  random: Random;
}

type Trail = number | 'desk';

/** How an actor stands in entries: under a pseudonym, with the name sealed. The same bytes serve many entries. */
interface Named {
  actor: string | null;
  name: Buffer | null;
  commitment: string | null;
  until: number;
}

/** An entry with what stands beside it in its row: sealed bytes, and what may be dropped. */
interface Row {
  entry: Entry;
  actorName: Buffer | null;
  details: Buffer | null;
  address: string | null;
  addressSalt: Buffer | null;
}

export function openWriter({ vault, clock, random }: Parts): Audit {
  const named = new Map<string, Named>();

  return {
    record: (sql, organisationId, act) => recordMany(sql, organisationId, [act]),
    recordMany,
    async recordOfPerson(sql, personId, act) {
      const organisations = await sql.query<{ organisation_id: number }>(
        'SELECT organisation_id FROM lookup.organisations_of_person($1)',
        [personId],
      );
      const trails: Trail[] = organisations.map((one) => one.organisation_id);
      const rows: Row[] = [];
      for (const trail of trails.length === 0 ? (['desk'] as const) : trails)
        rows.push(await rowOf(sql, trail, act, personId));
      append(sql, personId, rows);
    },
    async writeNow(sql) {
      const now = waiting.get(sql)?.splice(0) ?? [];
      for (const { text, params } of now.sort((a, b) => a.trail - b.trail).map(statementOf))
        await sql.query(text, [...params]);
    },
  };

  async function recordMany(sql: Sql, organisationId: Trail, acts: readonly Act[]): Promise<void> {
    if (acts.length > actsMax) throw new Error(`${acts.length} acts at once are more than ${actsMax}.`);
    const rows: Row[] = [];
    for (const act of acts) rows.push(await rowOf(sql, organisationId, act, undefined));
    append(sql, null, rows);
  }

  async function rowOf(sql: Sql, trail: Trail, act: Act, about: number | undefined): Promise<Row> {
    const { action } = act;
    if (!isAction(action))
      throw new Error(`The act "${action}" is not in the registry: add it to trust/audit/actions.ts.`);
    if (act.reason !== undefined && !/^[a-z0-9_]{1,40}$/.test(act.reason))
      throw new Error(`The reason of "${action}" is not a word of a closed list.`);
    const name = uuidOf(random);
    const actor = await actorOf(sql, trail, act.actor);
    const targets = [];
    for (const { type, id } of (act.targets ?? []).slice(0, targetsMax + 1))
      targets.push({ type, id: type === 'person' ? await pseudonym(trail, Number(id)) : clipped(String(id)) });
    if (targets.length > targetsMax) throw new Error(`"${action}" has more than ${targetsMax} targets.`);
    const details = await detailsOf(trail, name, act, about);
    const address = act.request === undefined ? null : networkOf(act.request.address);
    const addressSalt = address === null ? null : random.bytes(saltBytes);
    return {
      entry: {
        organisation: trail === 'desk' ? 0 : trail,
        entry: name,
        at: new Date(clock.now()).toISOString(),
        action,
        class: actions[action].class,
        outcome: act.outcome ?? 'done',
        reason: act.reason ?? null,
        actor_type: act.actor.type,
        actor: actor.actor,
        targets,
        request_id: act.request?.id ?? null,
        actor_commitment: actor.commitment,
        actor_sealed: actor.name === null ? null : sha256(actor.name),
        details_commitment: details.commitment,
        details_sealed: details.sealed === null ? null : sha256(details.sealed),
        address_commitment: address === null || addressSalt === null ? null : commitment(addressSalt, address),
      },
      actorName: actor.name,
      details: details.sealed,
      address,
      addressSalt,
    };
  }

  /** The actor's pseudonym, and the name by which the transaction knows the actor now, sealed under the actor's own key. */
  async function actorOf(sql: Sql, trail: Trail, actor: Actor): Promise<Named> {
    if (actor.id === undefined) return { actor: null, name: null, commitment: null, until: 0 };
    const key = `${trail} ${actor.type} ${actor.id}`;
    const known = named.get(key);
    if (known !== undefined && known.until > clock.monotonic()) return known;
    const isPerson = actor.type === 'person';
    const subject = isPerson ? await vault.subject(trail, 'person', String(actor.id)) : undefined;
    const shown = subject?.subarray(0, pseudonymBytes).toString('hex') ?? String(actor.id);
    const called = await nameOf(sql, actor);
    if (called === undefined) return { actor: shown, name: null, commitment: null, until: 0 };
    const salt = random.bytes(saltBytes);
    const text = clipped(called);
    const sealed = await sealedFor(
      { ...placeOf(trail, 'actor_name', shown), ...(subject === undefined ? {} : { subject }) },
      JSON.stringify({ salt: salt.toString('hex'), name: text }),
    );
    const now: Named = {
      actor: shown,
      name: sealed,
      commitment: sealed === null ? null : commitment(salt, text),
      until: clock.monotonic() + namedMs,
    };
    if (named.size >= namedMax) named.clear();
    named.set(key, now);
    return now;
  }

  async function nameOf(sql: Sql, actor: Actor): Promise<string | undefined> {
    if (actor.type !== 'person')
      return (await sql.maybe<{ name: string }>('SELECT name FROM api_keys WHERE id = $1', [actor.id]))?.name;
    const person = await sql.maybe<{ id: number; name: string; email_sealed: Buffer | null }>(
      'SELECT id, name, email_sealed FROM people WHERE id = $1',
      [actor.id],
    );
    return person === undefined ? undefined : shownName(vault, person);
  }

  async function detailsOf(
    trail: Trail,
    row: string,
    act: Act,
    about: number | undefined,
  ): Promise<{ sealed: Buffer | null; commitment: string | null }> {
    const labels = (act.targets ?? []).map(({ label }) => (label === undefined ? null : clipped(label)));
    const details = Object.entries(act.details ?? {});
    if (details.length > detailsMax) throw new Error(`"${act.action}" has more than ${detailsMax} details.`);
    if (details.length === 0 && labels.every((label) => label === null)) return { sealed: null, commitment: null };
    const salt = random.bytes(saltBytes);
    const text = detailsText(
      labels,
      details.map(([name, value]) => [name, typeof value === 'string' ? clipped(value) : value]),
    );
    const subject = await subjectOf(trail, act, about);
    const sealed = await sealedFor(
      { ...placeOf(trail, 'details', row), ...(subject === undefined ? {} : { subject }) },
      JSON.stringify({ salt: salt.toString('hex'), text }),
    );
    return { sealed, commitment: sealed === null ? null : commitment(salt, text) };
  }

  /** Nothing for somebody whose key was destroyed: the act is written down, and what would name them is not. */
  async function sealedFor(place: Place, text: string): Promise<Buffer | null> {
    try {
      return withSubject(await vault.seal(place, text), place.subject);
    } catch (error) {
      if (error instanceof VaultError && error.code === 'destroyed') return null;
      throw error;
    }
  }

  /** Whom an act is about: its first person, else the address that it invites, else whose act it is said to be. */
  async function subjectOf(trail: Trail, act: Act, about: number | undefined): Promise<Buffer | undefined> {
    for (const { type, id, label } of act.targets ?? []) {
      if (type === 'person') return vault.subject(trail, 'person', String(id));
      if (type === 'invitation' && label !== undefined)
        return vault.subject(trail, 'email', label.trim().toLowerCase());
    }
    return about === undefined ? undefined : vault.subject(trail, 'person', String(about));
  }

  async function pseudonym(trail: Trail, personId: number): Promise<string> {
    return (await vault.subject(trail, 'person', String(personId))).subarray(0, pseudonymBytes).toString('hex');
  }
}

/** Entries of one call of the database; more of one transaction are several calls. */
type Run = { trail: number; ofPerson: number | null; rows: Row[] };

/** What the open transactions have to write. */
const waiting = new WeakMap<Sql, Run[]>();

/**
 * Acts go to the database with the COMMIT of their transaction: the head of a chain is held while the server writes, and
 * not while this process waits for an answer and thinks.
 */
function append(sql: Sql, ofPerson: number | null, rows: readonly Row[]): void {
  let runs = waiting.get(sql);
  if (runs === undefined) {
    const mine: Run[] = [];
    runs = mine;
    waiting.set(sql, mine);
    // Chains in rising order, so that two transactions that write into the same ones never wait for each other crosswise.
    sql.beforeCommit(() => mine.sort((a, b) => a.trail - b.trail).map(statementOf));
  }
  for (const row of rows) {
    const trail = row.entry.organisation;
    const run = runs.findLast((one) => one.trail === trail);
    if (run === undefined || run.ofPerson !== ofPerson || run.rows.length >= actsMax)
      runs.push({ trail, ofPerson, rows: [row] });
    else run.rows.push(row);
  }
}

const appendOne = prepared(`SELECT audit.append_one(${Array.from({ length: 20 }, (_, i) => `$${i + 1}`).join(', ')})`);
const appendMany = prepared('SELECT audit.append($1, $2, $3, $4)');

function statementOf({ trail, ofPerson, rows }: Run): Statement {
  const [row] = rows;
  if (row !== undefined && rows.length === 1) {
    const { entry } = row;
    return {
      text: appendOne,
      params: [
        ...[ofPerson, trail, Buffer.from(entryDigest(entry), 'hex'), entry.entry, entry.at, entry.action, entry.class],
        ...[entry.outcome, entry.reason, entry.actor_type, entry.actor, row.actorName, bytes(entry.actor_commitment)],
        ...[JSON.stringify(entry.targets), row.details, bytes(entry.details_commitment), entry.request_id, row.address],
        ...[row.addressSalt, bytes(entry.address_commitment)],
      ],
    };
  }
  const acts = rows.map(({ entry, actorName, details, address, addressSalt }) => ({
    entry: entry.entry,
    at: entry.at,
    action: entry.action,
    class: entry.class,
    outcome: entry.outcome,
    reason: entry.reason,
    actor_type: entry.actor_type,
    actor: entry.actor,
    actor_name: bytea(actorName),
    actor_commitment: entry.actor_commitment === null ? null : `\\x${entry.actor_commitment}`,
    targets: entry.targets,
    details: bytea(details),
    details_commitment: entry.details_commitment === null ? null : `\\x${entry.details_commitment}`,
    request_id: entry.request_id,
    address,
    address_salt: bytea(addressSalt),
    address_commitment: entry.address_commitment === null ? null : `\\x${entry.address_commitment}`,
  }));
  const digests = rows.map(({ entry }) => `"\\\\x${entryDigest(entry)}"`);
  return {
    text: appendMany,
    params: [ofPerson, trail, `{${digests.join(',')}}`, JSON.stringify(acts)],
  };
}

function bytes(hex: string | null): Buffer | null {
  return hex === null ? null : Buffer.from(hex, 'hex');
}

const subjectBytes = 32;

/** Sealed bytes carry whom they were sealed for at their end, since no other column says it: the keyed digest and a 1, or a 0. */
function withSubject(sealed: Buffer, subject: Buffer | undefined): Buffer {
  return subject === undefined ? Buffer.concat([sealed, Buffer.of(0)]) : Buffer.concat([sealed, subject, Buffer.of(1)]);
}
export function splitSubject(stored: Buffer): { sealed: Buffer; subject?: Buffer } {
  if (stored.at(-1) !== 1) return { sealed: stored.subarray(0, -1) };
  const end = stored.length - 1 - subjectBytes;
  return { sealed: stored.subarray(0, end), subject: stored.subarray(end, -1) };
}

/** Where a sealed part of an entry belongs. A name is bound to its actor, so that it serves many entries. */
export function placeOf(trail: Trail, column: 'actor_name' | 'details', row: string) {
  return { organisationId: trail, table: 'audit.entries', column, row, class: 'D17' } as const;
}

/** Labels and details in one fixed form: what their commitment takes in. */
function detailsText(labels: readonly (string | null)[], details: readonly (readonly [string, unknown])[]): string {
  return JSON.stringify([labels, details]);
}

function clipped(text: string): string {
  return text.length <= textLengthMax ? text : `${text.slice(0, textLengthMax - 1)}…`;
}

function bytea(bytes: Buffer | null): string | null {
  return bytes === null ? null : `\\x${bytes.toString('hex')}`;
}
