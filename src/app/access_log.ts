import { z } from 'zod';
import { type AccessPage, accessPage } from '../../contract/access_log.ts';
import { type Act, actOf } from '../platform/audit.ts';
import { ControlError } from '../platform/control.ts';
import { accessDays, accessLogDir, accessPageMax, readAccessDay } from '../platform/http/access_log.ts';
import { defineRoute, type Route } from '../platform/http/route.ts';
import type { House } from '../platform/subject.ts';

/**
 * The access log is of the whole desk, so who runs the desk reads it: by the page, by the call, by the command line. Each
 * reading is an act in the desk's own trail.
 */
const query = z.strictObject({
  /** A UTC day; today when absent. */
  day: z.iso.date().optional(),
  cursor: z
    .string()
    .regex(/^\d{1,15}$/)
    .optional(),
});

export function accessLogRoutes(house: House): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/access-log',
      access: 'operator',
      summary: 'Who asked the account plane for what: a day, the newest first. Each reading is written to the trail.',
      query,
      answer: accessPage,
      handle: async (request) => ({ body: await readPage(house, request.query, actOf(request)) }),
    }),
  ];
}

/** `fairlead access-log`. @throws ControlError for a day that is none */
export function readAccessLog(house: House, args: URLSearchParams): Promise<AccessPage> {
  const asked = query.safeParse(Object.fromEntries(args));
  if (!asked.success) throw new ControlError('Write the day as 2026-11-28.');
  return readPage(house, asked.data, { actor: { type: 'operator' } });
}

async function readPage(
  { postgres, audit, config, clock }: House,
  asked: z.infer<typeof query>,
  who: Pick<Act, 'actor' | 'request'>,
): Promise<AccessPage> {
  const dir = accessLogDir(config.dataDir);
  const day = asked.day ?? new Date(clock.now()).toISOString().slice(0, 10);
  // Written first: a reading that left no trace would be worse than a trace of one that failed.
  await postgres.system((sql) =>
    audit.record(sql, 'desk', { action: 'access_log.read', ...who, targets: [{ type: 'access-log', id: day }] }),
  );
  const page = await readAccessDay(dir, day, asked.cursor, accessPageMax);
  return { on: config.accessLog, days: await accessDays(dir), day, ...page };
}
