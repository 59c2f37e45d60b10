import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { relayUploadLimits } from '../../../contract/relay.ts';
import type { UploadedFile } from '../../platform/files/sealed_parts.ts';
import { openSealedParts, wholeFile } from '../../platform/files/sealed_parts.ts';
import type { SealedFolder } from '../../platform/sealed_folder.ts';
import type { FileClass } from '../../platform/spool/index.ts';
import type { House } from '../../platform/subject.ts';
import type { UploadStore } from './store.ts';

export const uploadFolder = 'relay_uploads';

/** Files lie in `relay_uploads/`, by the number of their row: 0600, in a folder that only the desk's user may enter. */
export const relayUploadFiles: readonly FileClass[] = [
  {
    path: `${uploadFolder}/*`,
    classes: ['D5', 'D6'],
    window: 'until its conversions are taken or it is cancelled, at most 7 days',
    purpose:
      'offline conversions that a person of the organisation sent: each part sealed (AES-256-GCM) under a key that does not lie in the data directory',
  },
];

export type UploadFiles = ReturnType<typeof openUploadFiles>;

/** Files of offline conversions. Addresses and numbers are in them: each part is sealed. */
export function openUploadFiles({ config, keys, random }: Pick<House, 'config' | 'keys' | 'random'>) {
  return openSealedParts({
    folder: join(config.dataDir, uploadFolder),
    key: keys.derive('relay-upload'),
    random,
    partBytes: relayUploadLimits.partBytes,
  });
}

/** SHA-256 over all of it. */
export async function digestOf(file: UploadedFile): Promise<Buffer> {
  const hash = createHash('sha256');
  for await (const piece of file.stream()) hash.update(piece);
  return hash.digest();
}

/** For scans of the disk: a file that came whole, opened where it lies. */
export function sealedRelayUploads(
  files: Pick<UploadFiles, 'open'>,
  store: Pick<UploadStore, 'sizeForScan' | 'heldFiles'>,
): SealedFolder {
  return {
    folder: uploadFolder,
    async open(name, organisationId) {
      const size = /^\d+$/.test(name) ? await store.sizeForScan(Number(name), organisationId) : undefined;
      return size === undefined ? undefined : wholeFile(await files.open(Number(name), size));
    },
    held: (organisationId) => store.heldFiles(organisationId),
  };
}
