import { z } from 'zod';
import { auditChain, auditExportQuestion, auditPage, auditQuestion } from '../../../contract/audit.ts';
import { actOf } from '../../platform/audit.ts';
import { defineRoute, type Principal, RequestError, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { utcDay } from '../../platform/zone.ts';
import { actions } from './actions.ts';
import { keyName } from './checkpoint.ts';
import { spanOf } from './days.ts';
import { bundleOf, csvOf } from './export.ts';
import type { Keeper } from './keeper.ts';
import { findEntries, openReader, shownEntry } from './read.ts';
import { readHead, seeChain } from './stored.ts';

const ofOrganisation = z.object({ organisation: z.coerce.number().int().positive() });
/** The desk's own chain has the number 0. */
const desk = 0;
/** Looking is an act too, and written down at most so often for each person. */
const viewedMs = 3_600_000;

type Asker = Parameters<typeof actOf>[0];

/**
 * The trail of one organisation: read, verified and taken away by whose role includes it. And the desk's own, of what
 * belongs to no organisation, by who runs the desk.
 */
export function auditRoutes(
  house: Pick<House, 'postgres' | 'vault' | 'audit' | 'clock'>,
  { keeper, keeps }: { keeper: Keeper; keeps: boolean },
): Route[] {
  const { postgres, vault, audit, clock } = house;

  const trailOf = (chain: number) => (chain === desk ? 'desk' : chain);

  /** Has this person or key looked within the hour? Asked of the trail itself, which every process shares. */
  async function noteView(sql: Sql, chain: number, request: Asker): Promise<void> {
    const { kind, id } = request.principal as Principal;
    const name =
      kind === 'person'
        ? (await vault.subject(trailOf(chain), 'person', String(id))).subarray(0, 16).toString('hex')
        : String(id);
    const lately = await sql.query(
      `SELECT 1 FROM audit.entries WHERE organisation_id = $1 AND at > $2 AND action = 'audit.viewed'
       AND actor_type = $3 AND actor = $4 LIMIT 1`,
      [chain, new Date(clock.now() - viewedMs), kind, name],
    );
    if (lately.length === 0) await audit.record(sql, trailOf(chain), { action: 'audit.viewed', ...actOf(request) });
  }

  async function pageOf(chain: number, request: Asker & { query: z.infer<typeof auditQuestion> }) {
    const { limit } = request.query;
    const rows = await seeChain(postgres, chain, async (sql) => {
      const span = await spanOf(sql, chain, request.query);
      const found = await findEntries(sql, chain, { ...request.query, ...span, limit: limit + 1 });
      await noteView(sql, chain, request);
      return found;
    });
    const open = openReader(vault);
    const entries = [];
    for (const row of rows.slice(0, limit)) entries.push(shownEntry(row, await open(row)));
    return { body: { entries, next: rows.length > limit ? (entries.at(-1)?.seq ?? null) : null } };
  }

  async function chainOf(chain: number) {
    const seen = await keeper.look(chain);
    return {
      body: {
        entries: (seen.head?.seq ?? 0) - (seen.head?.base_seq ?? 0),
        removed_to: seen.head?.base_seq ?? 0,
        verified_to: seen.seq,
        verified_at: seen.at,
        is_whole: seen.isWhole,
        findings: seen.findings.map(({ kind, seq, sentence }) => ({ kind, seq, sentence })),
        checkpoint: seen.checkpoint ?? null,
        public_key: keeper.publicKey,
        key_name: keyName(keeper.publicKey),
        actions: Object.entries(actions).map(([name, { sentence }]) => ({ name, sentence })),
      },
    };
  }

  async function exportOf(chain: number, request: Asker & { query: z.infer<typeof auditExportQuestion> }) {
    const { format, ...asked } = request.query;
    const [filter] = Object.keys(asked);
    if (format === 'ndjson' && filter !== undefined)
      throw new RequestError(
        'invalid_field',
        'An export that can be verified holds the whole trail. Leave the filters out, or take it as CSV.',
        { field: filter },
      );
    const span = await seeChain(postgres, chain, async (sql) => {
      const days = await spanOf(sql, chain, asked);
      await audit.record(sql, trailOf(chain), { action: 'audit.exported', ...actOf(request), details: { format } });
      return days;
    });
    // The export itself is its last entry, and signed: a cut end shows.
    if (keeps) await keeper.checkpoint();
    const head = await seeChain(postgres, chain, (sql) => readHead(sql, chain));
    const parts = { postgres, vault, clock, keeper };
    const day = utcDay(clock.now());
    const name = `audit-${trailOf(chain)}-${day}.${format}`;
    return {
      stream:
        format === 'csv'
          ? { pieces: csvOf(parts, chain, { ...asked, ...span }, head), type: 'text/csv; charset=utf-8', name }
          : { pieces: bundleOf(parts, chain, head), type: 'application/x-ndjson', name },
    };
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/audit',
      access: 'audit.read',
      summary: 'Who did what in an organisation, newest first, with names and details opened.',
      params: ofOrganisation,
      query: auditQuestion,
      answer: auditPage,
      async handle(request) {
        request.allow(request.params.organisation);
        return pageOf(request.params.organisation, request);
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/audit/chain',
      access: 'audit.read',
      summary:
        'How far the chain of an organisation was verified, and what signs it. Goes on where the last call ended.',
      params: ofOrganisation,
      answer: auditChain,
      async handle(request) {
        request.allow(request.params.organisation);
        return chainOf(request.params.organisation);
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/audit/export',
      access: 'audit.read',
      summary:
        'The whole trail with what verifies it elsewhere (NDJSON), or the entries that are asked for as a table (CSV).',
      params: ofOrganisation,
      query: auditExportQuestion,
      answersFile: true,
      async handle(request) {
        request.allow(request.params.organisation);
        return exportOf(request.params.organisation, request);
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/audit',
      access: 'operator',
      summary: "The desk's own trail, newest first: what belongs to no organisation.",
      query: auditQuestion,
      answer: auditPage,
      handle: (request) => pageOf(desk, request),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/audit/chain',
      access: 'operator',
      summary: "How far the desk's own chain was verified, and what signs it. Goes on where the last call ended.",
      answer: auditChain,
      handle: () => chainOf(desk),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/audit/export',
      access: 'operator',
      summary: "The desk's own trail as a whole (NDJSON), or the entries that are asked for as a table (CSV).",
      query: auditExportQuestion,
      answersFile: true,
      handle: (request) => exportOf(desk, request),
    }),
  ];
}
