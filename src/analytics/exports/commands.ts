import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { exportFormats } from '../../../contract/exports.ts';
import { findSite } from '../../accounts/index.ts';
import type { ControlCommand } from '../../platform/control.ts';
import { RequestError } from '../../platform/http/route.ts';
import type { House } from '../../platform/subject.ts';
import { dayOf, isoDay } from '../../platform/zone.ts';
import { siteTarget } from '../act_target.ts';
import { knownDays, writeExport, zoneOf } from './write_export.ts';

type Stores = Pick<House, 'postgres' | 'warehouse' | 'clock' | 'spool' | 'audit'>;

/** What was acknowledged before the export belongs into it; the loader takes a second or two for that. */
const drainMs = 60_000;

/** `export`, as the control socket knows it: writes the days of a site into a file on this machine. */
export function exportCommands({ postgres, warehouse, clock, spool, audit }: Stores): Record<string, ControlCommand> {
  /** Files that are being written: two at one would write into each other. */
  const atWork = new Set<string>();

  async function runExport(args: URLSearchParams, say: (progress: unknown) => void) {
    const format = exportFormats.find((known) => known === args.get('format'));
    if (format === undefined)
      throw new RequestError(
        'bad_request',
        `There is no export of that format. Name one of: ${exportFormats.join(', ')}.`,
      );
    const domain = args.get('site') ?? '';
    const site = await findSite(postgres, domain);
    if (site === undefined) throw new RequestError('not_found', `No site here is called "${domain}".`);
    const out = args.get('out') ?? '';
    if (!isAbsolute(out)) throw new RequestError('bad_request', 'Name the file to write with --out.');
    if (existsSync(out))
      throw new RequestError(
        'conflict',
        `${out} is there already, and nothing is written over. Name another file with --out.`,
      );
    if (atWork.has(out)) throw new RequestError('conflict', `Another export is writing ${out}. Wait for its end.`);

    atWork.add(out);
    try {
      if (!(await spool.drain(drainMs)))
        throw new RequestError(
          'warehouse_unavailable',
          'The warehouse does not take in what was acknowledged, so the export would lack it. Run the command again when it does.',
        );
      const { from, to } = spanOf(args, await knownDays({ postgres, warehouse, clock }, site));
      const asked = { site: site.domain, timezone: zoneOf(site), format, from: isoDay(from), to: isoDay(to) };
      await postgres.tenant(site.organisation_id, (sql) =>
        audit.record(sql, site.organisation_id, {
          action: 'export.started',
          actor: { type: 'operator' },
          targets: [siteTarget(site)],
          details: { format, from: asked.from, to: asked.to },
        }),
      );
      const rows = await writeExport({ postgres, warehouse }, site, asked, {
        out,
        onResume: (day) => say({ note: `An export that was cut off is gone on with behind ${day}.` }),
        onDay: ({ day, done, days }) => say({ day, done, days }),
      });
      return { site: site.domain, format, from: asked.from, to: asked.to, days: to - from + 1, rows, file: out };
    } finally {
      atWork.delete(out);
    }
  }

  return { export: (args, _body, say) => runExport(args, say) };
}

/** The days to write, as their numbers; today is not over, so it is left out. */
function spanOf(
  args: URLSearchParams,
  known: { first: number | undefined; last: number },
): { from: number; to: number } {
  const from = dayNamed(args, 'from') ?? known.first;
  const to = dayNamed(args, 'to') ?? known.last;
  if (from === undefined)
    throw new RequestError('bad_request', 'This site has no numbers yet, so there is nothing to export.');
  if (to > known.last)
    throw new RequestError('bad_request', `Days that are over can be exported: the last one is ${isoDay(known.last)}.`);
  if (from > to) throw new RequestError('bad_request', `No day lies between ${isoDay(from)} and ${isoDay(to)}.`);
  return { from, to };
}

function dayNamed(args: URLSearchParams, name: string): number | undefined {
  const text = args.get(name);
  if (text === null) return undefined;
  const day = dayOf(text);
  if (day === undefined)
    throw new RequestError('bad_request', `--${name} is a day such as 2026-01-31, not "${text.slice(0, 40)}".`);
  return day;
}
