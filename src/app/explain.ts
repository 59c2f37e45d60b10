import { once } from 'node:events';
import { explainHits, openPlacesTable, readLines } from '../analytics/index.ts';
import { readConfig } from '../platform/config.ts';
import { explainUsage, UsageError } from './usage.ts';

type Write = (text: string) => Promise<void>;
/** @param args what stands behind the topic. @throws UsageError */
type Topic = (lines: AsyncIterable<string>, write: Write, args: string[]) => Promise<void>;

/** What may be explained, by the word on the command line. Each is one pure part of the product. */
const topics: Readonly<Record<string, Topic>> = {
  async hits(lines, write, args) {
    if (args.length > 0) throw new UsageError(`Usage: ${explainUsage}`);
    await explainHits({ lines, places: openPlacesTable(readConfig()), write });
  },
};

/** `fairlead explain <topic>`: NDJSON from standard input to standard output, in order; opens no store and no socket. */
export async function explain([name = '', ...args]: string[]): Promise<number> {
  const topic = Object.hasOwn(topics, name) ? topics[name] : undefined;
  if (topic === undefined) throw new UsageError(`Usage: ${explainUsage}`);
  const write: Write = async (text) => {
    if (!process.stdout.write(text)) await once(process.stdout, 'drain');
  };
  await topic(readLines(process.stdin), write, args);
  return 0;
}
