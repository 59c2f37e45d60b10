import { z } from 'zod';
import {
  type AccessFilters,
  type AccessPage,
  accessExportQuestion,
  accessPage,
  accessPageMax,
  accessQuestion,
} from '../../contract/access_log.ts';
import { placeOf } from '../accounts/index.ts';
import { type Act, actOf } from '../platform/audit.ts';
import { ControlError } from '../platform/control.ts';
import { accessDays, accessLogDir, readAccessDay } from '../platform/http/access_log.ts';
import { defineRoute, type Route } from '../platform/http/route.ts';
import type { House } from '../platform/subject.ts';
import { utcDay } from '../platform/zone.ts';
import { csvCell } from '../trust/audit/index.ts';

/** The same reader, day and filters leave one act a minute, however many pages are turned. */
const sameReadingMs = 60_000;
/** Readings that are remembered for that; of more than so many the oldest are written down once more. */
const readingsMax = 1_000;

type Asked = z.infer<typeof accessQuestion>;
type AskedFile = z.infer<typeof accessExportQuestion>;
/** The whole desk's, or that of one organisation. */
type Of = 'desk' | number;
const ofOrganisation = z.object({ organisation: z.coerce.number().int().positive() });
const only = (of: Of): { organisation?: number } => (of === 'desk' ? {} : { organisation: of });
type Who = Pick<Act, 'actor' | 'request'>;

/**
 * Who runs the desk reads the whole access log: by the page, by the call, by the command line. An owner reads the lines of
 * calls about their organisation whose asker was let into it, and no others: who tried a foreign name is nobody's but the
 * desk's. Each reading is an act in the trail of the desk or of the organisation, with the day and the filters.
 */
export function accessLogRoutes(house: House): Route[] {
  const log = openReading(house);
  return [
    defineRoute({
      method: 'GET',
      path: '/api/access-log',
      access: 'operator',
      summary: 'Who asked the account plane for what: a day, the newest first. Each reading is written to the trail.',
      query: accessQuestion,
      answer: accessPage,
      handle: async (request) => ({ body: await log.page('desk', request.query, actOf(request)) }),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/access-log/export',
      access: 'operator',
      summary: 'A day of the access log as a file, the newest first: what the filters leave.',
      query: accessExportQuestion,
      answersFile: true,
      handle: (request) => log.file('desk', request.query, actOf(request)),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/access-log',
      access: 'organisation.take',
      summary: 'Who asked for what of an organisation: a day, the newest first. Each reading is written to its trail.',
      params: ofOrganisation,
      query: accessQuestion,
      answer: accessPage,
      async handle(request) {
        const { organisation } = request.params;
        request.allow(organisation);
        return { body: await log.page(organisation, request.query, actOf(request)) };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/access-log/export',
      access: 'organisation.take',
      summary: 'A day of it as a file, the newest first: what the filters leave.',
      params: ofOrganisation,
      query: accessExportQuestion,
      answersFile: true,
      async handle(request) {
        const { organisation } = request.params;
        request.allow(organisation);
        return log.file(organisation, request.query, actOf(request));
      },
    }),
  ];
}

/** `fairlead access-log`. @throws ControlError for a day that is none */
export function readAccessLog(house: House, args: URLSearchParams): Promise<AccessPage> {
  const asked = accessQuestion.safeParse(Object.fromEntries(args));
  if (!asked.success) throw new ControlError('Write the day as 2026-11-28.');
  return openReading(house).page('desk', asked.data, { actor: { type: 'operator' } });
}

function openReading({ postgres, audit, config, clock }: House) {
  const dir = accessLogDir(config.dataDir);
  const noted = new Map<string, number>();
  const today = () => utcDay(clock.now());

  /** Written before anything is read: a reading that left no trace would be worse than a trace of one that failed. */
  async function note(of: Of, day: string, filters: AccessFilters, who: Who, format?: string): Promise<void> {
    const details = Object.fromEntries(
      Object.entries({ ...filters, format }).filter((one): one is [string, string] => one[1] !== undefined),
    );
    const name = JSON.stringify([of, who.actor, day, Object.entries(details).sort()]);
    const now = clock.monotonic();
    if (format === undefined && (noted.get(name) ?? Number.NEGATIVE_INFINITY) > now - sameReadingMs) return;
    const act: Act = { action: 'access_log.read', ...who, targets: [{ type: 'access-log', id: day }], details };
    if (of === 'desk') await postgres.system((sql) => audit.record(sql, of, act));
    else await postgres.tenant(of, (sql) => audit.record(sql, of, act));
    const oldest = noted.keys().next();
    if (noted.size >= readingsMax && !oldest.done) noted.delete(oldest.value);
    noted.delete(name);
    noted.set(name, now);
  }

  return {
    async page(of: Of, { day: given, cursor, limit, ...filters }: Asked, who: Who): Promise<AccessPage> {
      const day = given ?? today();
      await note(of, day, filters, who);
      const { entries, next } = await readAccessDay(dir, day, { ...filters, ...only(of), cursor, limit });
      return {
        on: config.accessLog,
        days: await accessDays(dir),
        day,
        entries: entries.map((entry) => ({ ...entry, place: placeOf(entry.address) })),
        next,
      };
    },
    async file(of: Of, { format, day: given, ...filters }: AskedFile, who: Who) {
      const day = given ?? today();
      await note(of, day, filters, who, format);
      return {
        stream: {
          pieces: piecesOf(dir, day, { ...filters, ...only(of) }, format),
          type: format === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson',
          name: `access-${day}.${format}`,
        },
      };
    },
  };
}

const columns = ['time', 'address', 'place', 'method', 'route', 'status', 'ms', 'request_id'] as const;

async function* piecesOf(
  dir: string,
  day: string,
  filters: AccessFilters & ReturnType<typeof only>,
  format: 'ndjson' | 'csv',
) {
  if (format === 'csv') yield `${columns.join(',')}\r\n`;
  for (let cursor: string | undefined | null; cursor !== null; ) {
    const page = await readAccessDay(dir, day, { ...filters, cursor, limit: accessPageMax });
    cursor = page.next;
    const lines = page.entries.map((entry) => {
      const one = { ...entry, place: placeOf(entry.address) };
      return format === 'csv'
        ? `${columns.map((name) => csvCell(one[name])).join(',')}\r\n`
        : `${JSON.stringify(one)}\n`;
    });
    if (lines.length > 0) yield lines.join('');
  }
}
