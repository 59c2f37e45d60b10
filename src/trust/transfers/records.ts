import type { PaperKind } from '../../../contract/documents.ts';
import {
  type NewTransfer,
  type Transfer,
  transferAheadDaysMax,
  transferNoticeDays,
} from '../../../contract/transfers.ts';
import { RequestError } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { dayMs, utcDay } from '../../platform/zone.ts';

/** The first day that leaves everybody the time that is promised. */
export const earliestOn = (nowMs: number) => utcDay(nowMs + transferNoticeDays * dayMs);

type Row = Omit<Transfer, 'announced_at' | 'ended_at'> & { announced_at: Date; ended_at: Date | null };
const columns = `id, state, legal_name, address, jurisdiction, contact, registration, officer, representative, authority, why,
  before_name, effective_on, announced_at, announced_by, members_told, ended_at, carried`;

const shown = ({ announced_at, ended_at, ...row }: Row): Transfer => ({
  ...row,
  announced_at: announced_at.toISOString(),
  ended_at: ended_at?.toISOString() ?? null,
});

/** The newest first. */
export async function listTransfers(sql: Sql, organisationId: number): Promise<Transfer[]> {
  const rows = await sql.query<Row>(
    `SELECT ${columns} FROM controller_transfers WHERE organisation_id = $1 ORDER BY id DESC`,
    [organisationId],
  );
  return rows.map(shown);
}

async function transferIn(sql: Sql, id: number): Promise<Transfer | undefined> {
  const row = await sql.maybe<Row>(`SELECT ${columns} FROM controller_transfers WHERE id = $1`, [id]);
  return row === undefined ? undefined : shown(row);
}

/** Of two who announce, withdraw or carry out at a time the second one sees what the first did. */
export async function lockTransfers(sql: Sql, organisationId: number): Promise<void> {
  await sql.query("SELECT pg_advisory_xact_lock(hashtextextended('transfer of organisation ' || $1, 0))", [
    String(organisationId),
  ]);
}

/** @throws RequestError invalid_field for a day that is too near or too far, conflict while another one is announced */
export async function announceTransfer(
  sql: Sql,
  organisationId: number,
  wish: NewTransfer,
  by: { personId: number; nowMs: number },
): Promise<Transfer> {
  const earliest = earliestOn(by.nowMs);
  const latest = utcDay(by.nowMs + transferAheadDaysMax * dayMs);
  if (wish.effective_on < earliest || wish.effective_on > latest)
    throw new RequestError(
      'invalid_field',
      `Members and visitors are told ${transferNoticeDays} days before: name a day from ${earliest} to ${latest}.`,
      { field: 'effective_on' },
    );
  await lockTransfers(sql, organisationId);
  if ((await listTransfers(sql, organisationId)).some(({ state }) => state === 'announced'))
    throw new RequestError('conflict', 'A transfer is announced already. Withdraw it first.');
  const { id } = await sql.one<{ id: number }>(
    `INSERT INTO controller_transfers (organisation_id, state, legal_name, address, jurisdiction, contact, registration, officer,
       representative, authority, why, before_name, effective_on, announced_at, announced_by)
     VALUES ($1, 'announced', $2, $3, $4, $5, $6, $7, $8, $9, $10,
       (SELECT legal_name FROM organisation_identities WHERE organisation_id = $1 ORDER BY version DESC LIMIT 1), $11, $12, $13)
     RETURNING id`,
    [
      ...[organisationId, wish.legal_name, wish.address, wish.jurisdiction, wish.contact, wish.registration],
      ...[wish.officer, wish.representative, wish.authority, wish.why, wish.effective_on],
      ...[new Date(by.nowMs), by.personId],
    ],
  );
  return (await transferIn(sql, id)) as Transfer;
}

/** @throws RequestError not_found, and conflict once it is over */
export async function withdrawTransfer(
  sql: Sql,
  organisationId: number,
  id: number,
  by: { personId: number; nowMs: number },
): Promise<Transfer> {
  await lockTransfers(sql, organisationId);
  const found = await transferIn(sql, id);
  if (found === undefined) throw new RequestError('not_found', 'There is no transfer with this number here.');
  // On its day it counts as carried out, whether or not the desk has come to it.
  if (found.state !== 'announced' || found.effective_on <= utcDay(by.nowMs))
    throw new RequestError('conflict', 'This transfer is over: it was carried out or withdrawn, or its day has come.');
  await sql.run("UPDATE controller_transfers SET state = 'withdrawn', ended_at = $2, ended_by = $3 WHERE id = $1", [
    ...[id, new Date(by.nowMs), by.personId],
  ]);
  return (await transferIn(sql, id)) as Transfer;
}

/** The published documents, which name who answers: looked at before it is somebody else, and made anew after. */
export interface Papers {
  current(sql: Sql, organisationId: number, nowMs: number): Promise<PaperKind[]>;
  renew(
    sql: Sql,
    organisationId: number,
    kinds: readonly PaperKind[],
    by: { personId: number; atMs: number; nowMs: number },
  ): Promise<string[]>;
}

/**
 * Carries out what is due: the new controller is who the organisation is from now on. Everything else stays where it is and as
 * it was promised; how much that is stands with the transfer. In one transaction: it is done, or it is not.
 */
export async function carryOut(
  sql: Sql,
  organisationId: number,
  nowMs: number,
  papers: Papers,
): Promise<(Transfer & { renewed: string[] }) | undefined> {
  await lockTransfers(sql, organisationId);
  const due = (await listTransfers(sql, organisationId)).find(
    ({ state, effective_on }) => state === 'announced' && effective_on <= utcDay(nowMs),
  );
  if (due === undefined) return undefined;
  const kinds = await papers.current(sql, organisationId, nowMs);
  await sql.run(
    `INSERT INTO organisation_identities (organisation_id, version, legal_name, address, jurisdiction, registration, contact, officer,
       representative, authority, measuring_basis, changed_at, changed_by)
     SELECT t.organisation_id, coalesce(i.version, 0) + 1, t.legal_name, t.address, t.jurisdiction, t.registration, t.contact, t.officer,
       t.representative, t.authority, i.measuring_basis, $2, t.announced_by
     FROM controller_transfers t LEFT JOIN LATERAL (
       SELECT version, measuring_basis FROM organisation_identities i WHERE i.organisation_id = t.organisation_id ORDER BY version DESC LIMIT 1
     ) i ON true WHERE t.id = $1`,
    [due.id, new Date(nowMs)],
  );
  const carried = await carriedIn(sql, organisationId);
  await sql.run("UPDATE controller_transfers SET state = 'done', ended_at = $2, carried = $3 WHERE id = $1", [
    ...[due.id, new Date(nowMs), JSON.stringify(carried)],
  ]);
  const by = { personId: due.announced_by, atMs: Date.parse(due.announced_at), nowMs };
  const renewed = await papers.renew(sql, organisationId, kinds, by);
  return { ...((await transferIn(sql, due.id)) as Transfer), renewed };
}

function carriedIn(sql: Sql, organisationId: number): Promise<Transfer['carried']> {
  return sql.one(
    `SELECT coalesce((SELECT max(version) FROM retention_policies WHERE organisation_id = $1), 0)::int AS policy_version,
       (SELECT count(*) FROM lawful_bases WHERE organisation_id = $1)::int AS bases,
       (SELECT count(*) FROM legal_holds WHERE organisation_id = $1 AND released_at IS NULL)::int AS holds,
       (SELECT count(*) FROM consent_records WHERE organisation_id = $1)::int AS consents`,
    [organisationId],
  );
}
