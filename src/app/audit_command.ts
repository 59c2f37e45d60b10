import { createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Verification } from '../trust/audit/index.ts';
import { keyName, verifyBundle } from '../trust/audit/index.ts';
import { auditUsage, readArgs, UsageError } from './usage.ts';
import { onDesk } from './with_desk.ts';

/**
 * `fairlead audit verify`: holds the audit log of this desk, or an exported one, against its hashes and its signed
 * checkpoints. Exit code 1 when something is wrong, with a sentence for each.
 */
export async function runAudit(args: string[]): Promise<number> {
  const { values, positionals } = readArgs(args, { file: { type: 'string' }, key: { type: 'string' } }, auditUsage);
  const [what, ...rest] = positionals;
  if (what !== 'verify' || rest.length > 0)
    throw new UsageError(`Say what to do with the audit log: verify.\nUsage: ${auditUsage}`);
  if (values.key !== undefined && Buffer.from(values.key, 'base64').length !== 32)
    throw new UsageError(
      `--key: this is no public key of a desk: copy it from the page of the audit log.\nUsage: ${auditUsage}`,
    );
  if (values.file !== undefined) return verifyFile(values.file, values.key);
  if (values.key !== undefined) throw new UsageError(`--key goes with --file.\nUsage: ${auditUsage}`);
  return verifyDesk();
}

async function verifyFile(path: string, publicKey: string | undefined): Promise<number> {
  await access(path).catch(() => {
    throw new UsageError(`There is no file ${path}, or this user may not read it.`);
  });
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
  const seen = await verifyBundle(lines, publicKey === undefined ? {} : { publicKey });
  for (const { sentence } of seen.findings) say(sentence);
  const whose = `${count(seen.entries, 'entry', 'entries')} of organisation ${seen.organisation}, exported ${seen.exportedAt}`;
  if (seen.findings.length > 0) return failed(whose, seen.findings.length);
  say(`Verified ${whose}, signed to ${seen.signedTo ?? 'nowhere'}. Nothing was changed, removed, moved or added.`);
  say(
    publicKey === undefined
      ? `Signed by the key ${keyName(seen.publicKey)}: compare it with the page of the audit log, or give it with --key ${seen.publicKey}.`
      : `Signed by the key ${keyName(seen.publicKey)}, which is the one that was given.`,
  );
  return 0;
}

async function verifyDesk(): Promise<number> {
  const seen = (await onDesk({ command: 'audit-verify' })) as Verification & { publicKey: string };
  for (const { sentence } of seen.findings) say(sentence);
  const whose = `${count(seen.entries, 'entry', 'entries')} in ${count(seen.chains, 'chain', 'chains')}`;
  if (seen.findings.length > 0) return failed(whose, seen.findings.length);
  say(
    `Verified ${whose} against ${count(seen.checkpoints, 'signed checkpoint', 'signed checkpoints')}, the last of ${seen.newest?.at ?? 'never'}. Nothing was changed, removed, moved or added.`,
  );
  say(`Signed by the key ${keyName(seen.publicKey)}: ${seen.publicKey}`);
  return 0;
}

function failed(whose: string, findings: number): number {
  say(
    `${count(findings, 'thing is', 'things are')} wrong with ${whose}. Keep this file or database as it is, and find out who could write to it.`,
  );
  return 1;
}

function count(number: number, one: string, many: string): string {
  return `${number.toLocaleString('en')} ${number === 1 ? one : many}`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
