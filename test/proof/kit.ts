import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** A promise of the product, shown by doing: `run` throws when it does not hold. */
export interface Proof {
  /** The line of the promise ledger ('PSE-06'), or a name of its own ('delivery-kill'). */
  readonly id: string;
  /** One sentence that can be false. */
  readonly title: string;
  /** Expected, for the time limit. */
  readonly minutes?: number;
  /** @returns one line of what was seen. */
  run(context: ProofContext): Promise<string>;
  readonly sabotage: Sabotage;
  /** It is a test of `npm test`, which therefore leaves it out among the proofs; a copy of the product brings the tests along. */
  readonly isTest?: true;
}

/** The guard of a promise, taken out of the real source. The proof has to fail without it, or it proves nothing. */
export interface Sabotage {
  readonly name: string;
  /** Below the root of the product. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
}

export interface ProofContext {
  /** The product tree that is proved: the repository, or a sabotaged copy of it. */
  readonly root: string;
  /** A fresh temporary folder, removed afterwards with whatever was put into it. */
  folder(): Promise<string>;
  say(line: string): void;
  /**
   * What several proofs of one tree look at, made by the first that asks and let go of after the last: a recorded
   * browser session, a desk that was used and copied.
   * @param close stops what goes on running; its folders are removed without it
   */
  share<T>(name: string, make: (context: ProofContext) => Promise<T>, close?: (made: T) => Promise<void>): Promise<T>;
}

/** The proof could not be carried out, which says nothing about the promise. Never counts as "the proof fails". */
export class CannotProve extends Error {
  override readonly name = 'CannotProve';
}

/** @throws Error with this sentence unless the fact holds: the promise is broken. */
export function must(holds: boolean, sentence: string): asserts holds {
  if (!holds) throw new Error(sentence);
}

export const repository = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Loads a module of the product tree that is proved, sabotaged or not. */
export async function load<T>(context: Pick<ProofContext, 'root'>, path: string): Promise<T> {
  return (await import(pathToFileURL(join(context.root, path)).href)) as T;
}

const minutesDefault = 2;
/** A machine with two busy cores is slow; a proof that hangs is not. */
const patience = 4;

/** Everything that proofs of one product tree have in common. Close it when they are done. */
export interface Ground {
  prove(proof: Proof): Promise<Attempt>;
  close(): Promise<void>;
}

export type Attempt = { readonly seconds: number } & (
  | { readonly kind: 'held'; readonly seen: string }
  /** The promise was seen broken. */
  | { readonly kind: 'broken'; readonly why: string }
  /** The proof itself went wrong. */
  | { readonly kind: 'not proved'; readonly why: string }
);

/** @param root the product tree */
export function openGround(root: string, say: (line: string) => void): Ground {
  const shared = new Map<string, Promise<unknown>>();
  const folders: string[] = [];
  const closers: (() => Promise<void>)[] = [];
  const contextOf = (mine: string[]): ProofContext => ({
    root,
    async folder() {
      const folder = mkdtempSync(join(tmpdir(), 'fairlead-proof-'));
      mine.push(folder);
      return folder;
    },
    say,
    share<T>(name: string, make: (context: ProofContext) => Promise<T>, close?: (made: T) => Promise<void>) {
      const known = shared.get(name) as Promise<T> | undefined;
      if (known !== undefined) return known;
      const made = make(contextOf(folders));
      shared.set(name, made);
      if (close !== undefined) closers.push(() => made.then(close));
      return made;
    },
  });
  return {
    async prove(proof) {
      const mine: string[] = [];
      const started = performance.now();
      const since = () => Math.round((performance.now() - started) / 100) / 10;
      try {
        const seen = await inTime(proof, proof.run(contextOf(mine)));
        return { kind: 'held', seen, seconds: since() };
      } catch (error) {
        return { kind: isFaultOfProof(error) ? 'not proved' : 'broken', why: sentenceOf(error), seconds: since() };
      } finally {
        for (const folder of mine) await removeFolder(folder);
      }
    },
    async close() {
      await Promise.allSettled(shared.values());
      for (const close of closers.reverse()) await close().catch(() => {});
      for (const folder of folders) await removeFolder(folder);
    },
  };
}

function inTime<T>(proof: Proof, work: Promise<T>): Promise<T> {
  const minutes = (proof.minutes ?? minutesDefault) * patience;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new CannotProve(`It did not end within ${minutes} minutes.`)), minutes * 60_000);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** A misspelt name, a missing file, a server that does not start: a proof that stumbles must not look like one that sees. */
function isFaultOfProof(error: unknown): boolean {
  if (!(error instanceof Error)) return true;
  const wrong = [CannotProve, SyntaxError, ReferenceError, TypeError, RangeError];
  // A browser that loses the server has no code.
  if (error.message.includes('net::ERR_CONNECTION')) return true;
  // Errors of the system, of Node and of drivers carry a code; the sentence of a broken promise does not.
  return wrong.some((kind) => error instanceof kind) || ('code' in error && error.code !== 'ERR_ASSERTION');
}

function sentenceOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const [line = ''] = text.split('\n').filter((part) => part.trim() !== '');
  return isFaultOfProof(error) && error instanceof Error && error.name !== 'CannotProve'
    ? `${error.name}: ${line}`
    : line;
}

/** A data directory of root has its database elsewhere; a note in it says where, and both go. */
async function removeFolder(folder: string): Promise<void> {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.name !== 'server' || basename(entry.parentPath) !== 'postgres' || !entry.isFile()) continue;
    const place = readFileSync(join(entry.parentPath, entry.name), 'utf8').trim();
    const owner = join(place, 'belongs-to');
    // A copy of a data directory has a note too, but the database belongs to the original.
    if (existsSync(owner) && readFileSync(owner, 'utf8').trim() === entry.parentPath)
      await rm(place, { recursive: true, force: true });
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** What a product tree needs to run; tests, documents and bench stay behind. Shared pages look as the dashboard does. */
const copied = ['src', 'contract', 'sdk', 'scripts', 'web/src/styles', 'package.json'];
const linked = ['node_modules', '.cache', 'sdk/dist', 'web/dist'];

/** What a proof needs beside that which is a test. */
const copiedWithTests = ['test', 'emulators', 'docs', 'vitest.config.ts'];

/**
 * Copies the product tree into a folder and takes the guard out.
 * @returns the root of the copy
 * @throws CannotProve when the text to replace does not occur exactly once
 */
export function sabotagedCopy(sabotage: Sabotage, folder: string, isTest = false): string {
  const root = join(folder, 'sabotaged');
  const left = isTest ? /\/(dist|node_modules)$/ : /\.test\.ts$|\/(dist|node_modules)$/;
  for (const path of isTest ? [...copied, ...copiedWithTests] : copied)
    cpSync(join(repository, path), join(root, path), { recursive: true, filter: (source) => !left.test(source) });
  const isOfPages = sabotage.file.startsWith('web/');
  if (isOfPages)
    cpSync(join(repository, 'web'), join(root, 'web'), {
      recursive: true,
      filter: (source) => !/\.test\.tsx?$|\/(dist|pictures|node_modules)$/.test(source),
    });
  for (const path of linked) {
    if (isOfPages && path === 'web/dist') continue;
    if (!existsSync(join(repository, path))) continue;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    symlinkSync(join(repository, path), join(root, path));
  }
  const file = join(root, sabotage.file);
  if (!existsSync(file)) throw new CannotProve(`The sabotage names ${sabotage.file}, which is not there.`);
  writeFileSync(file, applySabotage(sabotage, readFileSync(file, 'utf8')));
  if (isOfPages) buildPages(root);
  return root;
}

/** The pages of a copy are its own: those of the repository still have the guard. */
function buildPages(root: string): void {
  const vite = join(repository, 'node_modules/vite/bin/vite.js');
  try {
    execFileSync(process.execPath, [vite, 'build', 'web', '--config', 'web/vite.config.ts', '--logLevel', 'error'], {
      cwd: root,
      stdio: 'pipe',
    });
  } catch (error) {
    throw new CannotProve(`The pages cannot be built: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** @throws CannotProve when the text to replace does not occur exactly once */
export function applySabotage({ name, file, find, replace }: Sabotage, text: string): string {
  const parts = text.split(find);
  if (parts.length !== 2)
    throw new CannotProve(
      `The sabotage "${name}" finds its place in ${file} ${parts.length - 1} times instead of once: bring it up to date.`,
    );
  return parts.join(replace);
}

const here = dirname(fileURLToPath(import.meta.url));

/** What the files of proofs begin with. */
const parts =
  /^(privacy|delivery|accounts|cookies|vault|trail|letters|backup|windows|requests|consent|documents|storage|promise)[\w-]*\.ts$/;

/** The proofs of every such file of this folder, in the order of their ids. */
export async function allProofs(): Promise<Proof[]> {
  const files = readdirSync(here).filter((name) => parts.test(name) && !name.endsWith('.test.ts'));
  const modules = await Promise.all(
    files.map((name) => import(pathToFileURL(join(here, name)).href) as Promise<{ proofs?: readonly Proof[] }>),
  );
  return modules.flatMap(({ proofs }) => proofs ?? []).sort((a, b) => (a.id < b.id ? -1 : 1));
}
