import { once } from 'node:events';
import { explainHits as explain, openPlacesTable, readLines } from '../analytics/index.ts';
import { readConfig } from '../platform/config.ts';
import { explainUsage, UsageError } from './usage.ts';

/** `fairlead explain hits`: NDJSON from standard input to standard output, in order; opens no store and no socket. */
export async function explainHits(args: string[]): Promise<number> {
  if (args.length !== 1 || args[0] !== 'hits') throw new UsageError(`Usage: ${explainUsage}`);
  await explain({
    lines: readLines(process.stdin),
    places: openPlacesTable(readConfig()),
    async write(text) {
      if (!process.stdout.write(text)) await once(process.stdout, 'drain');
    },
  });
  return 0;
}
