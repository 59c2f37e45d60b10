import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { FileScan } from '../../../contract/requests.ts';
import type { DataSubject } from '../../platform/personal_data.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { SealedFolder } from '../../platform/sealed_folder.ts';
import { dayMs, utcDay } from '../../platform/zone.ts';
import { type Canary, canaryOf, openerOf, scanFolders } from '../proof/index.ts';

/** Files of the desk beside its databases: what an erasure leaves nothing of somebody in. */
const folders = [
  'spool',
  'quarantine',
  'exports',
  'archives',
  'imports',
  'relay_uploads',
  'packed',
  'access',
  'audit',
  'acme',
] as const;
/** Of fewer signs a value is in everything. */
const charsMin = 6;
const hashes = ['sha256', 'sha1', 'md5'] as const;

/**
 * Looks for somebody in every file of the desk, and in what is packed or sealed there, by what they are known by: as it was said and in small letters, in text, UTF-16,
 * base64 and hex, under the hashes that other systems know people by, and under the keyed digests of the desk.
 * Of sealed files those of the own organisation are opened: what another one has of somebody is not this one's to look at.
 * Where a legal hold keeps the file, what is in it is counted apart: nothing of it is left by mistake.
 */
export async function scanFiles(
  dataDir: string,
  { organisationId, identifiers }: DataSubject,
  sealed: readonly SealedFolder[],
): Promise<FileScan> {
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
  const scan: FileScan & { opened: number; cut: number; held: number } = {
    files: 0,
    bytes: 0,
    found: [],
    opened: 0,
    sealed: 0,
    packed: 0,
    cut: 0,
    held: 0,
    unread: 0,
    unsearched,
  };
  if (canaries.length === 0) return scan;
  const open = openerOf(dataDir, sealed, organisationId);
  for (const folder of folders) {
    const path = join(dataDir, folder);
    const seen = await scanFolders([path], 0, canaries, { open });
    for (const what of ['files', 'bytes', 'opened', 'sealed', 'packed', 'cut'] as const) scan[what] += seen[what];
    scan.unread += seen.closed;
    const held = await sealed.find((one) => one.folder === folder)?.held(organisationId);
    const isHeld = ({ file }: { file: string }) => held?.has(file) ?? false;
    scan.held += new Set(seen.found.filter(isHeld).map(({ file }) => file)).size;
    scan.found.push(
      ...seen.found.filter((one) => !isHeld(one)).map(({ what, file }) => ({ what, file: `${folder}/${file}` })),
    );
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
