import { createReadStream } from 'node:fs';
import type { SealedFolder } from '../../platform/sealed_folder.ts';
import type { ExportRecords } from './records.ts';
import type { FileRunner } from './runner.ts';
import { openedFile } from './sealed_file.ts';

/** For scans of the disk: finished exports, opened where they lie. */
export function searchedExports({
  records,
  runner,
}: {
  records: Pick<ExportRecords, 'fileForScan' | 'heldFiles'>;
  runner: Pick<FileRunner, 'fileOf'>;
}): SealedFolder {
  return {
    folder: 'exports',
    async open(name, organisationId) {
      const found = /^\d+$/.test(name) ? await records.fileForScan(Number(name), organisationId) : undefined;
      if (found === undefined) return undefined;
      const path = runner.fileOf(Number(name));
      return found.sealed === undefined ? createReadStream(path) : openedFile(path, found.sealed);
    },
    held: (organisationId) => records.heldFiles(organisationId),
  };
}
