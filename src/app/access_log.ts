import type { z } from 'zod';
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
import { csvCell } from '../trust/audit/index.ts';

/** The same reader, day and filters leave one act a minute, however many pages are turned. */
const sameReadingMs = 60_000;
/** Readings that are remembered for that; of more than so many the oldest are written down once more. */
const readingsMax = 1_000;

type Asked = z.infer<typeof accessQuestion>;
type Who = Pick<Act, 'actor' | 'request'>;

/**
 * The access log is of the whole desk, so who runs the desk reads it: by the page, by the call, by the command line. Each
 * reading is an act in the desk's own trail, with the day and the filters.
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
      handle: async (request) => ({ body: await log.page(request.query, actOf(request)) }),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/access-log/export',
      access: 'operator',
      summary: 'A day of the access log as a file, the newest first: what the filters leave.',
      query: accessExportQuestion,
      answersFile: true,
      async handle(request) {
        const { format, day: given, ...filters } = request.query;
        const day = given ?? log.today();
        await log.note(day, filters, actOf(request), format);
        return {
          stream: {
            pieces: piecesOf(accessLogDir(house.config.dataDir), day, filters, format),
            type: format === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson',
            name: `access-${day}.${format}`,
          },
        };
      },
    }),
  ];
}

/** `fairlead access-log`. @throws ControlError for a day that is none */
export function readAccessLog(house: House, args: URLSearchParams): Promise<AccessPage> {
  const asked = accessQuestion.safeParse(Object.fromEntries(args));
  if (!asked.success) throw new ControlError('Write the day as 2026-11-28.');
  return openReading(house).page(asked.data, { actor: { type: 'operator' } });
}

function openReading({ postgres, audit, config, clock }: House) {
  const dir = accessLogDir(config.dataDir);
  const noted = new Map<string, number>();
  const today = () => new Date(clock.now()).toISOString().slice(0, 10);

  /** Written before anything is read: a reading that left no trace would be worse than a trace of one that failed. */
  async function note(day: string, filters: AccessFilters, who: Who, format?: string): Promise<void> {
    const details = Object.fromEntries(
      Object.entries({ ...filters, format }).filter((one): one is [string, string] => one[1] !== undefined),
    );
    const name = JSON.stringify([who.actor, day, Object.entries(details).sort()]);
    const now = clock.monotonic();
    if (format === undefined && (noted.get(name) ?? Number.NEGATIVE_INFINITY) > now - sameReadingMs) return;
    await postgres.system((sql) =>
      audit.record(sql, 'desk', {
        action: 'access_log.read',
        ...who,
        targets: [{ type: 'access-log', id: day }],
        details,
      }),
    );
    const oldest = noted.keys().next();
    if (noted.size >= readingsMax && !oldest.done) noted.delete(oldest.value);
    noted.delete(name);
    noted.set(name, now);
  }

  return {
    today,
    note,
    async page({ day: given, cursor, limit, ...filters }: Asked, who: Who): Promise<AccessPage> {
      const day = given ?? today();
      await note(day, filters, who);
      const { entries, next } = await readAccessDay(dir, day, { ...filters, cursor, limit });
      return {
        on: config.accessLog,
        days: await accessDays(dir),
        day,
        entries: entries.map((entry) => ({ ...entry, place: placeOf(entry.address) })),
        next,
      };
    },
  };
}

const columns = ['time', 'address', 'place', 'method', 'route', 'status', 'ms', 'request_id'] as const;

async function* piecesOf(dir: string, day: string, filters: AccessFilters, format: 'ndjson' | 'csv') {
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
