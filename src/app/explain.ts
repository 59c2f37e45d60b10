import { once } from 'node:events';
import { systemClock } from '../platform/clock.ts';
import { readConfig } from '../platform/config.ts';
import { readLines } from '../platform/lines.ts';
import {
  destinationOf,
  destinations,
  explainCaptures,
  explainConversions,
  explainErrors,
  explainIdentifiers,
  type IdentifierPlatform,
  platforms,
} from '../relay/index.ts';
import { explainUsage, readArgs, UsageError } from './usage.ts';

type Write = (text: string) => Promise<void>;
/** @param args what stands behind the topic. @throws UsageError */
type Topic = (lines: AsyncIterable<string>, write: Write, args: string[]) => Promise<void>;

/** A body of 2 MB stands in its line as text, whose quotes and breaks are written with two characters each, or six. */
const lineCharsMax = 16 * 1024 * 1024;

/** What may be explained, by the word on the command line. Each is one pure part of the product. */
const topics: Readonly<Record<string, Topic>> = {
  async hits(lines, write, args) {
    if (args.length > 0) throw new UsageError(`Usage: ${explainUsage}`);
    // With it come the stores' libraries, which take longer to load than any other topic has to.
    const { explainHits, openPlacesTable } = await import('../analytics/index.ts');
    await explainHits({ lines, places: openPlacesTable(readConfig()), write });
  },
  async captures(lines, write, args) {
    if (args.length > 0) throw new UsageError(`Usage: ${explainUsage}`);
    await explainCaptures({ lines, write, now: systemClock.now });
  },
  async conversions(lines, write, args) {
    const destination = readDestination(args);
    const { versions = {} } = readConfig();
    await explainConversions({ destination, lines, write, now: systemClock.now, versions });
  },
  async errors(lines, write, args) {
    await explainErrors({ destination: readDestination(args), lines, write, now: systemClock.now });
  },
  async identifiers(lines, write, args) {
    await explainIdentifiers({ platform: readPlatform(args), lines, write, now: systemClock.now });
  },
};

/** `fairlead explain <topic>`: NDJSON from standard input to standard output, in order; opens no store and no socket. */
export async function explain([name = '', ...args]: string[]): Promise<number> {
  const topic = Object.hasOwn(topics, name) ? topics[name] : undefined;
  if (topic === undefined) throw new UsageError(`Usage: ${explainUsage}`);
  const write: Write = async (text) => {
    if (!process.stdout.write(text)) await once(process.stdout, 'drain');
  };
  await topic(readLines(process.stdin, lineCharsMax), write, args);
  return 0;
}

/** @throws UsageError */
function readPlatform(args: string[]): IdentifierPlatform {
  const { values, positionals } = readArgs(args, { platform: { type: 'string' } }, explainUsage);
  const platform = values.platform as string | undefined;
  if (platform === undefined || positionals.length > 0) throw new UsageError(`Usage: ${explainUsage}`);
  if (Object.hasOwn(platforms, platform)) return platform as IdentifierPlatform;
  throw new UsageError(`There is no platform "${platform}": ${Object.keys(platforms).join(', ')}.`);
}

/** @throws UsageError */
function readDestination(args: string[]) {
  const { values, positionals } = readArgs(args, { destination: { type: 'string' } }, explainUsage);
  const id = values.destination as string | undefined;
  if (id === undefined || positionals.length > 0) throw new UsageError(`Usage: ${explainUsage}`);
  const destination = destinationOf(id);
  if (destination !== undefined) return destination;
  throw new UsageError(`There is no destination "${id}": ${destinations.map((each) => each.id).join(', ')}.`);
}
