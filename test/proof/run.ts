import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Attempt, allProofs, CannotProve, openGround, type Proof, repository, sabotagedCopy } from './kit.ts';
import { recordProofs } from './record.ts';

/**
 * `npm run proof` [-- [--sabotage] [--json] [--report <file>] [--without <id>]… [--without-tests] [id …]]: proves the promises of the ledger against this
 * repository and ends with `N held, N failed`, or shows that each proof fails once its guard is gone. Exit code 0 or 1.
 */

interface Line {
  readonly id: string;
  readonly title: string;
  readonly ok: boolean;
  readonly result: string;
  readonly seen: string;
  readonly seconds: number;
  readonly sabotage: { readonly name: string; readonly file: string };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sabotage: { type: 'boolean' },
    json: { type: 'boolean' },
    report: { type: 'string' },
    without: { type: 'string', multiple: true, default: [] },
    'without-tests': { type: 'boolean' },
  },
});
const say = (text: string) => void process.stdout.write(`${text}\n`);
const wanted = new Set(positionals);
const known = await allProofs();
const proofs = known
  .filter(({ id }) => positionals.length === 0 || wanted.delete(id))
  .filter(({ id, isTest }) => !values.without.includes(id) && !(isTest && values['without-tests']));
if (wanted.size > 0) {
  process.stderr.write(`There is no proof ${[...wanted].join(', ')}.\n`);
  process.exit(2);
}

// Each damaged copy of the product would leave what Node made of its sources.
if (values.sabotage) delete process.env.NODE_COMPILE_CACHE;
// Desks that proofs have started are stopped at the exit, which a signal alone would skip.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
const progress = (line: string) => void (process.stderr.isTTY && process.stderr.write(`  ${line}\n`));
const idWidth = Math.max(2, ...known.map(({ id }) => id.length));
const resultWidth = 'not proved'.length;
if (!values.json) say(row('id', 'result', 'promise'));
const ground = values.sabotage ? undefined : openGround(repository, progress);
const record = values.sabotage ? undefined : await recordProofs();
const lines: Line[] = [];
for (const proof of proofs) {
  const line = lineOf(proof, await (ground?.prove(proof) ?? proveWithoutGuard(proof)));
  lines.push(line);
  record?.(proof, line.ok, line.seen);
  if (!values.json) {
    // Said at once: another run may be saying its own beside this one.
    say(`${row(line.id, line.result, line.title)}\n${row('', '', `${line.seen} (${line.seconds.toFixed(1)} s)`)}`);
  }
}
await ground?.close();

const failed = lines.filter(({ ok }) => !ok).length;
const summary = { held: lines.length - failed, failed };
const report = JSON.stringify({ sabotage: values.sabotage === true, ...summary, proofs: lines }, undefined, 2);
if (values.report !== undefined) writeFileSync(values.report, `${report}\n`);
const count = values.sabotage
  ? `${summary.held} fail without their guard, ${summary.failed} do not`
  : `${summary.held} held, ${summary.failed} failed`;
if (values.json) say(report);
else {
  // Once more at the end: of a long log often the end alone is kept.
  for (const { id, result, seen, ok } of lines) if (!ok) say(row(id, result, seen));
  say(count);
}
process.exit(failed === 0 ? 0 : 1);

function row(id: string, result: string, promise: string): string {
  return `${id.padEnd(idWidth)}  ${result.padEnd(resultWidth)}  ${promise}`;
}

/** The proof against a copy of the product whose guard was taken out. */
async function proveWithoutGuard(proof: Proof): Promise<Attempt> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-sabotage-'));
  try {
    const damaged = openGround(sabotagedCopy(proof.sabotage, folder, proof.isTest), progress);
    const attempt = await damaged.prove(proof);
    await damaged.close();
    return attempt;
  } catch (error) {
    if (!(error instanceof CannotProve)) throw error;
    return { kind: 'not proved', why: error.message, seconds: 0 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function lineOf(proof: Proof, attempt: Attempt): Line {
  const { id, title, sabotage } = proof;
  const told = values.sabotage ? withoutGuard(proof, attempt) : asItIs(attempt);
  return { id, title, ...told, seconds: attempt.seconds, sabotage: { name: sabotage.name, file: sabotage.file } };
}

function asItIs(attempt: Attempt): Pick<Line, 'ok' | 'result' | 'seen'> {
  if (attempt.kind === 'held') return { ok: true, result: 'held', seen: attempt.seen };
  return { ok: false, result: attempt.kind.toUpperCase(), seen: attempt.why };
}

function withoutGuard({ sabotage }: Proof, attempt: Attempt): Pick<Line, 'ok' | 'result' | 'seen'> {
  const guard = `guard removed (${sabotage.name})`;
  if (attempt.kind === 'broken')
    return { ok: true, result: 'fails', seen: `${guard}: the proof fails, as it must: ${attempt.why}` };
  if (attempt.kind === 'held')
    return {
      ok: false,
      result: 'HOLDS',
      seen: `${guard}: the proof still holds, so it proves nothing: ${attempt.seen}`,
    };
  return { ok: false, result: 'NOT PROVED', seen: `${guard}: the proof could not be carried out: ${attempt.why}` };
}
