import { z } from 'zod';
import type { Site } from '../../../contract/api.ts';
import { newExport, siteExport, siteExports } from '../../../contract/exports.ts';
import { siteOfPath } from '../../accounts/index.ts';
import { type Act, actOf } from '../../platform/audit.ts';
import { defineRoute, RequestError, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { QueryOverCeiling, WarehouseUnavailable } from '../../platform/warehouse/index.ts';
import { dayOf, isoDay, startOfDay } from '../../platform/zone.ts';
import { siteTarget } from '../act_target.ts';
import { formats } from './formats.ts';
import { eventsOfDay } from './plausible_tables.ts';
import { type ExportRecords, exportsPerSiteMax } from './records.ts';
import type { FileRunner } from './runner.ts';
import { openedBytes, openedFile } from './sealed_file.ts';
import { refuseWithheld } from './withheld.ts';
import { knownDays, zoneOf } from './write_export.ts';

const ofSite = z.object({ domain: z.string() });
const ofExport = ofSite.extend({ id: z.coerce.number().int().positive() });

const spanMs = 30_000;
const spansMax = 1_000;

/** Days as their numbers, both included. */
type Span = { from: number; to: number };

/** Everything of a site as a file: started, looked at, fetched and deleted by those whose role takes data away. */
export function exportRoutes(
  house: Pick<House, 'postgres' | 'warehouse' | 'clock' | 'audit'>,
  { records, runner }: { records: ExportRecords; runner: FileRunner },
): Route[] {
  const { postgres, warehouse, clock, audit } = house;

  /** A page with a running export asks every second or two, and the first day of a site hardly ever changes. */
  const lately = new Map<number, { span: Span; untilMs: number }>();

  async function spanOf(site: Site): Promise<Span | undefined> {
    const known = lately.get(site.id);
    if (known !== undefined && known.untilMs > clock.monotonic()) return known.span;
    const { first, last } = await knownDays(house, site);
    const span = first === undefined || first > last ? undefined : { from: first, to: last };
    if (lately.size >= spansMax) lately.clear();
    if (span !== undefined) lately.set(site.id, { span, untilMs: clock.monotonic() + spanMs });
    return span;
  }

  async function shownSpanOf(site: Site) {
    try {
      const span = await spanOf(site);
      return {
        span: span === undefined ? null : { first_day: isoDay(span.from), last_day: isoDay(span.to) },
        warehouse_away: false,
      };
    } catch (error) {
      if (!(error instanceof WarehouseUnavailable || error instanceof QueryOverCeiling)) throw error;
      return { span: null, warehouse_away: true };
    }
  }

  async function eventsOf(site: Site, span: Span): Promise<number> {
    const zone = zoneOf(site);
    const [row] = await warehouse.read<{ events: string }>(
      `SELECT count() AS events FROM events AS e WHERE ${eventsOfDay}`,
      { site: site.id, from: startOfDay(span.from, zone), to: startOfDay(span.to + 1, zone) },
      { purpose: 'export' },
    );
    return Number(row?.events ?? 0);
  }

  function noted(action: string, site: Site, request: Parameters<typeof actOf>[0], details: Act['details'] = {}) {
    return (sql: Sql, id: number) =>
      audit.record(sql, site.organisation_id, {
        action,
        ...actOf(request),
        targets: [siteTarget(site), { type: 'export', id }],
        details,
      });
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/api/sites/:domain/exports',
      access: 'stats.export',
      summary: 'The exports of a site, newest first, each with how far it is.',
      params: ofSite,
      answer: siteExports,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        const [exports, span] = await Promise.all([records.list(site), shownSpanOf(site)]);
        return { body: { exports, ...span } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/sites/:domain/exports',
      access: 'stats.export',
      summary: 'Begins to write everything of a site, or the days that are named, up to yesterday, into a file.',
      params: ofSite,
      body: newExport,
      answer: siteExport,
      async handle({ principal, ...request }) {
        const site = await siteOfPath(postgres, request);
        lately.delete(site.id);
        const whole = await spanOf(site);
        if (whole === undefined)
          throw new RequestError(
            'conflict',
            'No day of this site with numbers is over yet, so there is nothing to export. Come back tomorrow.',
          );
        const span = askedSpan(request.body, whole);
        runner.checkRoom(await eventsOf(site, span));
        const { format } = request.body;
        const made = await records.begin(
          site,
          format,
          span,
          principal?.kind === 'person' ? principal.id : undefined,
          noted(
            'export.started',
            site,
            { ...request, principal },
            {
              format,
              from: isoDay(span.from),
              to: isoDay(span.to),
            },
          ),
        );
        if (made === 'running')
          throw new RequestError(
            'conflict',
            'An export of this format is being written already. Wait for it, or cancel it.',
          );
        if (made === 'full')
          throw new RequestError(
            'conflict',
            `A site has at most ${exportsPerSiteMax} exports at once. Delete one that is no longer needed.`,
          );
        runner.begin(made.id);
        return { status: 201, body: made };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/sites/:domain/exports/:id/file',
      access: 'stats.export',
      summary: 'The file of a finished export. It takes Range, so a download that broke off can go on.',
      params: ofExport,
      answersFile: true,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        const found = await records.find(site, request.params.id);
        if (found === undefined) throw noSuchExport();
        if (found.state !== 'done')
          throw new RequestError('conflict', 'This export has no file: it is not finished, or it failed.');
        refuseWithheld('export', found.withheld);
        // A download that goes on where it broke off is the same one.
        if (request.headers.range === undefined || /^bytes=0-/.test(request.headers.range))
          await postgres.tenant(site.organisation_id, (sql) =>
            noted('export.downloaded', site, request, { format: found.format })(sql, found.id),
          );
        const sealed = await records.fileOf(site.organisation_id, found.id);
        const path = runner.fileOf(found.id);
        return {
          file: {
            ...{ path, type: formats[found.format].type, name: found.file_name },
            ...(sealed === undefined
              ? {}
              : { opened: { bytes: openedBytes, read: (span) => openedFile(path, sealed, span) } }),
          },
        };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/sites/:domain/exports/:id',
      access: 'stats.export',
      summary: 'Cancels an export, or deletes a finished one and its file.',
      params: ofExport,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        if (!(await records.remove(site, request.params.id, noted('export.deleted', site, request))))
          throw noSuchExport();
        await runner.forget(request.params.id);
        return { status: 204 };
      },
    }),
  ];
}

/** The days that were asked for, of those that there are. */
function askedSpan(asked: { from?: string | undefined; to?: string | undefined }, whole: Span): Span {
  const from = Math.max(whole.from, dayOf(asked.from ?? '') ?? whole.from);
  const to = dayOf(asked.to ?? '') ?? whole.to;
  const refuse = (field: string, message: string) => new RequestError('invalid_field', message, { field });
  if (to > whole.to) throw refuse('to', `Days that are over can be exported: the last one is ${isoDay(whole.to)}.`);
  if (from > to)
    throw refuse(
      asked.to === undefined ? 'from' : 'to',
      `No day with numbers lies there: the site has ${isoDay(whole.from)} to ${isoDay(whole.to)}.`,
    );
  return { from, to };
}

function noSuchExport(): RequestError {
  return new RequestError('not_found', 'There is no export with this number on this site.');
}
