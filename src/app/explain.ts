import { once } from 'node:events';
import { systemClock } from '../platform/clock.ts';
import { readConfig } from '../platform/config.ts';
import { answerLines, type LineAnswer } from '../platform/ndjson.ts';
import { openThreads } from '../platform/ndjson_threads.ts';
import {
  capturesAnswer,
  conversionsAnswer,
  destinationOf,
  destinations,
  errorsAnswer,
  type IdentifierPlatform,
  identifiersAnswer,
  platforms,
} from '../relay/index.ts';
import { explainUsage, readArgs, UsageError } from './usage.ts';

/** A body of 2 MB stands in its line as text, whose quotes and breaks are written with two characters each, or six. */
export const lineCharsMax = 16 * 1024 * 1024;

/**
 * What may be explained, by the word on the command line: `args` is what stands behind it. Each is one pure part of the product, and
 * throws a UsageError.
 */
const topics: Readonly<Record<string, (args: string[]) => Promise<LineAnswer>>> = {
  async hits(args) {
    if (args.length > 0) throw new UsageError(`Usage: ${explainUsage}`);
    // With it come the stores' libraries, which take longer to load than any other topic has to.
    const { hitsAnswer, openPlacesTable } = await import('../analytics/index.ts');
    return hitsAnswer({ places: openPlacesTable(readConfig()) });
  },
  async captures(args) {
    if (args.length > 0) throw new UsageError(`Usage: ${explainUsage}`);
    return capturesAnswer(systemClock);
  },
  async conversions(args) {
    const destination = readDestination(args);
    const { versions = {} } = readConfig();
    return conversionsAnswer(destination, systemClock, versions);
  },
  async errors(args) {
    return errorsAnswer(readDestination(args), systemClock);
  },
  async identifiers(args) {
    return identifiersAnswer(readPlatform(args), systemClock);
  },
};

/** The table of places is as large as all the rest of a process: one thread holds it. */
const aloneOnes: readonly string[] = ['hits'];

/** @throws UsageError */
export function explainer([name = '', ...args]: string[]): Promise<LineAnswer> {
  const topic = Object.hasOwn(topics, name) ? topics[name] : undefined;
  if (topic === undefined) throw new UsageError(`Usage: ${explainUsage}`);
  return topic(args);
}

/** `fairlead explain <topic>`: NDJSON from standard input to standard output, in order; opens no store and no socket. */
export async function explain(args: string[]): Promise<number> {
  const answer = await explainer(args);
  const threads = aloneOnes.includes(args[0] as string)
    ? undefined
    : openThreads(new URL('./explain_worker.ts', import.meta.url), args);
  const write = async (answers: Uint8Array) => {
    if (!process.stdout.write(answers)) await once(process.stdout, 'drain');
  };
  try {
    await answerLines({ bytes: process.stdin, write, answer, charsMax: lineCharsMax, ...(threads && { threads }) });
  } finally {
    await threads?.close();
  }
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
