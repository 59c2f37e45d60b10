import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { FileScan } from '../../../contract/requests.ts';
import type { DataSubject } from '../../platform/personal_data.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { dayMs, utcDay } from '../../platform/zone.ts';
import { type Canary, canaryOf, scanFolders } from '../proof/index.ts';

/** Files of the desk beside its databases: what an erasure leaves nothing of somebody in. */
const folders = ['spool', 'quarantine', 'exports', 'archives', 'imports', 'packed', 'access', 'audit', 'acme'] as const;
/** What lies there is sealed under keys of the desk, or packed as an export: bytes say nothing of what is in it. */
const opaque: ReadonlySet<string> = new Set(['archives', 'imports']);
const exportsFolder = 'exports';
/** Of fewer signs a value is in everything. */
const charsMin = 6;
const hashes = ['sha256', 'sha1', 'md5'] as const;

/**
 * Looks for somebody in every file of the desk, byte for byte, by what they are known by: as it was said and in small letters, in text, UTF-16,
 * base64 and hex, under the hashes that other systems know people by, and under the keyed digests of the desk.
 */
export async function scanFiles(dataDir: string, { identifiers }: DataSubject): Promise<FileScan> {
  const canaries: Canary[] = [];
  let unsearched = 0;
  for (const { kind, digest, value, others } of identifiers) {
    for (const one of [digest, others?.account, others?.mail])
      if (one !== undefined) canaries.push({ what: `${kind}, keyed digest`, forms: formsOf(one) });
    if (value === undefined || kind === 'person') continue;
    if (value.length < charsMin) {
      unsearched += 1;
      continue;
    }
    for (const text of new Set([value, value.trim().toLowerCase()])) {
      canaries.push(canaryOf(kind, text));
      for (const name of hashes)
        canaries.push({ what: `${kind}, ${name}`, forms: formsOf(createHash(name).update(text).digest()) });
    }
  }
  const scan: FileScan = { files: 0, bytes: 0, found: [], sealed: 0, packed: 0, unread: 0, unsearched };
  for (const folder of folders) {
    const path = join(dataDir, folder);
    if (opaque.has(folder)) scan.sealed += filesIn(path);
    else if (folder === exportsFolder) scan.packed += filesIn(path);
    if (opaque.has(folder) || canaries.length === 0) continue;
    const seen = await scanFolders([path], 0, canaries);
    scan.files += seen.files;
    scan.bytes += seen.bytes;
    scan.unread += seen.closed;
    scan.found.push(...seen.found.map(({ what, file }) => ({ what, file: `${folder}/${file}` })));
  }
  return scan;
}

/** What backups hold of somebody who was erased, and until when: they are sealed whole, so nobody takes one person out of one. */
export async function backupsWith(
  sql: Sql,
  nowMs: number,
  daysMax: number,
): Promise<{ backups: number; gone_by: string | null }> {
  const { backups, newest } = await sql.one<{ backups: number; newest: Date | null }>(
    "SELECT count(*) AS backups, max(began_at) AS newest FROM backups WHERE kind = 'whole' AND state = 'done' AND began_at <= $1",
    [new Date(nowMs)],
  );
  return {
    backups,
    gone_by: newest === null ? null : utcDay(newest.getTime() + daysMax * dayMs),
  };
}

function formsOf(bytes: Buffer): Buffer[] {
  return [bytes, Buffer.from(bytes.toString('hex')), Buffer.from(bytes.toString('base64').replaceAll('=', ''))];
}

function filesIn(folder: string): number {
  if (!existsSync(folder)) return 0;
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length;
}
