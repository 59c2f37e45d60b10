import { z } from 'zod';
import { operationsExportQuestion, operationsPage, operationsQuestion } from '../../../contract/operations.ts';
import { actOf } from '../../platform/audit.ts';
import { defineRoute, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { utcDay } from '../../platform/zone.ts';
import { csvCell, spanOf } from '../audit/index.ts';
import { findLines, namesNow, shownLine } from './read.ts';
import type { Writer } from './writer.ts';

const ofOrganisation = z.object({ organisation: z.coerce.number().int().positive() });
/** Lines that an export reads at once. */
const pieceLines = 1_000;
const csvColumns = [
  ...['number', 'time', 'kind', 'action', 'what', 'outcome', 'code', 'ms', 'actor_type', 'actor', 'actor_name'],
  ...['object', 'object_number', 'site', 'request', 'browser', 'network'],
] as const;

type Asker = Parameters<typeof actOf>[0];
type Filters = Omit<z.infer<typeof operationsExportQuestion>, 'format'>;

/**
 * The operations log of one organisation, and the desk's own for who runs it. What is exported for a support case is what
 * is seen: pseudonyms with the names of today, and nothing sealed.
 */
export function operationRoutes(
  house: Pick<House, 'postgres' | 'vault' | 'audit' | 'clock'>,
  { writer, summaries }: { writer: Writer; summaries: () => ReadonlyMap<string, string> },
): Route[] {
  const { postgres, audit, clock } = house;

  const inside = <T>(of: number | null, work: (sql: Sql) => Promise<T>): Promise<T> =>
    of === null ? postgres.system(work) : postgres.tenant(of, work);

  async function pageOf(of: number | null, query: z.infer<typeof operationsQuestion>) {
    // What this process has noted a moment ago belongs onto the page that is opened because of it.
    await writer.flush();
    const { cursor, limit, ...asked } = query;
    const rows = await inside(of, async (sql) =>
      findLines(sql, { ...asked, ...(await spanOf(sql, of ?? 0, asked)), before_id: cursor, limit: limit + 1 }),
    );
    const names = await namesNow(house, of);
    const lines = rows.slice(0, limit).map((row) => shownLine(row, names, summaries()));
    return {
      body: {
        lines,
        next: rows.length > limit ? (lines.at(-1)?.id ?? null) : null,
        people: [...names].map(([id, name]) => ({ id, name })).sort((a, b) => a.name.localeCompare(b.name)),
        lost: writer.lost(),
      },
    };
  }

  async function exportOf(of: number | null, request: Asker & { query: z.infer<typeof operationsExportQuestion> }) {
    const { format, ...asked } = request.query;
    await writer.flush();
    const span = await inside(of, async (sql) => {
      const days = await spanOf(sql, of ?? 0, asked);
      await audit.record(sql, of ?? 'desk', {
        ...{ action: 'operations.exported', ...actOf(request) },
        details: { format, filters: Object.keys(asked).join(', ') },
      });
      return days;
    });
    const day = utcDay(clock.now());
    return {
      stream: {
        pieces: piecesOf(of, { ...asked, ...span }, format),
        type: format === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson',
        name: `operations-${of ?? 'desk'}-${day}.${format}`,
      },
    };
  }

  async function* piecesOf(of: number | null, asked: Filters, format: 'ndjson' | 'csv'): AsyncGenerator<string> {
    const names = await namesNow(house, of);
    if (format === 'csv') yield `${csvColumns.join(',')}\r\n`;
    for (let before: number | undefined; ; ) {
      const rows = await inside(of, (sql) => findLines(sql, { ...asked, before_id: before, limit: pieceLines }));
      const lines = rows.map((row) => shownLine(row, names, summaries()));
      yield lines.map(format === 'csv' ? csvLine : (line) => `${JSON.stringify(line)}\n`).join('');
      if (rows.length < pieceLines) return;
      before = rows.at(-1)?.id;
    }
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/operations',
      access: 'audit.read',
      summary: 'The operations log of an organisation, newest first: what was done in the product and how it ended.',
      params: ofOrganisation,
      query: operationsQuestion,
      answer: operationsPage,
      async handle(request) {
        request.allow(request.params.organisation);
        return pageOf(request.params.organisation, request.query);
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/operations/export',
      access: 'audit.read',
      summary: 'The lines that are asked for as a file for a support case, NDJSON or CSV.',
      params: ofOrganisation,
      query: operationsExportQuestion,
      answersFile: true,
      async handle(request) {
        request.allow(request.params.organisation);
        return exportOf(request.params.organisation, request);
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/operations',
      access: 'operator',
      summary: "The desk's own operations log: what belongs to no organisation, runs of jobs, and calls that failed.",
      query: operationsQuestion,
      answer: operationsPage,
      handle: (request) => pageOf(null, request.query),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/operations/export',
      access: 'operator',
      summary: "Lines of the desk's own operations log as a file, NDJSON or CSV.",
      query: operationsExportQuestion,
      answersFile: true,
      handle: (request) => exportOf(null, request),
    }),
  ];
}

function csvLine(line: ReturnType<typeof shownLine>): string {
  return `${[
    ...[line.id, line.at, line.kind, line.action, line.summary, line.outcome, line.code, line.ms],
    ...[line.actor?.type ?? null, line.actor?.id ?? null, line.actor?.name ?? null],
    ...[line.object?.kind ?? null, line.object?.id ?? null, line.site_id, line.request_id, line.browser, line.network],
  ]
    .map(csvCell)
    .join(',')}\r\n`;
}
