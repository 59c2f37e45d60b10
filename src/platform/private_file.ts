import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';

/**
 * Writes a file that only its owner may read and that is on disk when this returns. A name that is taken is refused:
 * what is replaced is written beside it and renamed into place.
 */
export function writePrivateFile(file: string, text: string): void {
  const handle = openSync(file, 'wx', 0o600);
  try {
    writeSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Makes durable what was put into a folder, renamed in it or taken out of it. */
export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
