import { existsSync } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { diskOf, gigabytes } from '../../platform/disk.ts';
import { makePrivateFolder } from '../../platform/private_file.ts';
import { BackupError } from './backup_error.ts';
import { keysName } from './contents.ts';
import { backupsAmong } from './create.ts';
import type { ObjectStore, StoredObject } from './object_store.ts';

/**
 * Brings the newest backup of an object store, and the copy of the keys that belongs to it, into a folder. What is there
 * whole already is not asked for again.
 * @returns the file of the backup
 * @throws BackupError
 */
export async function fetchNewest(
  store: Pick<ObjectStore, 'list' | 'get' | 'place'>,
  folder: string,
  say: (line: string) => void,
): Promise<string> {
  say(`Asking ${store.place} …`);
  const objects = await store.list();
  const [newest] = backupsAmong(objects);
  if (newest === undefined)
    throw new BackupError(
      `There is no backup in ${store.place}: they are called fairlead-….backup. Look at FAIRLEAD_BACKUP_S3_URL. Nothing was changed.`,
    );
  const keys = objects.find(({ name }) => name === keysName);
  if (keys === undefined)
    throw new BackupError(
      `The copy of the key store is missing: ${keysName} belongs beside ${newest.name} in ${store.place}. Without it nothing that is sealed could be read. Nothing was changed.`,
    );
  makePrivateFolder(folder);
  const { freeBytes } = diskOf(folder);
  if (freeBytes < newest.bytes * 1.1)
    throw new BackupError(
      `The disk of ${folder} has ${gigabytes(freeBytes)} free, and the backup takes ${gigabytes(newest.bytes)}. Make room, or name another folder in FAIRLEAD_BACKUP_DIR. Nothing was changed.`,
    );
  // The keys are written anew under the same name, so a copy of them from before may be an older one.
  await rm(join(folder, keysName), { force: true });
  for (const object of [keys, newest]) await fetchOne(store, object, join(folder, object.name), say);
  return join(folder, newest.name);
}

async function fetchOne(
  store: Pick<ObjectStore, 'get'>,
  object: StoredObject,
  file: string,
  say: (line: string) => void,
): Promise<void> {
  if (existsSync(file) && (await stat(file)).size === object.bytes) return;
  say(`Fetching ${object.name}, ${Math.ceil(object.bytes / 1e6)} MB …`);
  const half = `${file}.part`;
  for (const old of [half, file]) await rm(old, { force: true });
  await store.get(object, half);
  await rename(half, file);
}
