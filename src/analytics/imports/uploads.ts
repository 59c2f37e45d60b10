import { join } from 'node:path';
import { uploadLimits } from '../../../contract/limits.ts';
import { openSealedParts, wholeFile } from '../../platform/files/sealed_parts.ts';
import type { SealedFolder } from '../../platform/sealed_folder.ts';
import type { House } from '../../platform/subject.ts';

export type Uploads = ReturnType<typeof openUploads>;

/** Files that are to be imported. An access log holds addresses, which the desk keeps nowhere: so each part is sealed. */
export function openUploads({ config, keys, random }: Pick<House, 'config' | 'keys' | 'random'>) {
  return openSealedParts({
    folder: join(config.dataDir, 'imports'),
    key: keys.derive('import-upload'),
    random,
    partBytes: uploadLimits.partBytes,
  });
}

/** For scans of the disk: a file that came whole, opened where it lies. */
export function sealedUploads({
  uploads,
  records,
}: {
  uploads: Pick<Uploads, 'open'>;
  records: { sizeForScan(id: number, organisationId?: number): Promise<number | undefined> };
}): SealedFolder {
  return {
    folder: 'imports',
    async open(name, organisationId) {
      const size = /^\d+$/.test(name) ? await records.sizeForScan(Number(name), organisationId) : undefined;
      return size === undefined ? undefined : wholeFile(await uploads.open(Number(name), size));
    },
    // What waits to be imported is no copy of anything here: no hold keeps it.
    held: async () => new Set(),
  };
}
