import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { type FileHandle, open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Form, plainForm } from './form.ts';
import type { Scratch } from './rows_file.ts';

/** What an export is of: one that is gone on with has to be the same in all of it. */
export interface Asked {
  readonly site: string;
  readonly timezone: string;
  readonly format: string;
  /** 'YYYY-MM-DD', both included. */
  readonly from: string;
  readonly to: string;
}

interface Note extends Asked {
  /** The last day that is in the files whole; '' = none. */
  done: string;
  /** Bytes of each file at the end of that day. */
  bytes: { [file: string]: number };
  rows: number;
}

/**
 * The folder in which an export grows, beside the file that it will be. After each day a note says how long the files
 * are, so that an export that was cut off goes on behind the last whole day: what stands after it is cut away.
 */
export interface WorkFolder {
  /** The last day that an earlier run has finished; '' = none. */
  readonly done: string;
  readonly rows: number;
  /** Bytes of all files at the end of the last whole day. */
  readonly bytes: number;
  /** Where something may be written that no later day needs. */
  readonly scratch: Scratch;
  append(file: string, text: string): Promise<void>;
  /** How its files lie on the disk. */
  readonly form: Form;
  /** Says that a file has been written whole into `path(file)`; it counts from the end of this day. */
  add(file: string): void;
  /** All files of it, by name. */
  files(): string[];
  endDay(day: string, rows: number): Promise<void>;
  path(file: string): string;
  /** Puts the file of this name into its final place, whole or not at all, and takes the folder away. */
  finish(file: string): Promise<void>;
  close(): Promise<void>;
}

export async function openWorkFolder(
  out: string,
  asked: Asked,
  files: readonly string[],
  form: Form = plainForm,
): Promise<WorkFolder> {
  const folder = `${out}.part`;
  const noteFile = join(folder, 'note.json');
  let note = readNote({ noteFile, form }, asked, files, folder);
  if (note === undefined) {
    // Only what was begun by an export is taken away: another folder of this name is somebody's.
    if (existsSync(noteFile)) await rm(folder, { recursive: true });
    mkdirSync(folder, { mode: 0o700 });
    note = { ...asked, done: '', bytes: Object.fromEntries(files.map((file) => [file, 0])), rows: 0 };
    await writeNote(note);
  }
  const kept = note;
  // A file that the note does not know was begun on a day that was not finished.
  for (const name of readdirSync(folder))
    if (name !== 'note.json' && kept.bytes[name] === undefined) await rm(join(folder, name), { recursive: true });
  const handles = new Map<string, FileHandle>();
  for (const file of files) {
    const handle = await open(join(folder, file), 'a', 0o600);
    handles.set(file, handle);
    await handle.truncate(kept.bytes[file] ?? 0);
  }
  const added: string[] = [];

  async function writeNote(content: Note) {
    await writeFile(`${noteFile}.new`, form.kept(JSON.stringify(content)), { mode: 0o600 });
    await rename(`${noteFile}.new`, noteFile);
  }

  async function close() {
    for (const handle of handles.values()) await handle.close();
    handles.clear();
  }

  return {
    done: kept.done,
    rows: kept.rows,
    get bytes() {
      return Object.values(kept.bytes).reduce((sum, bytes) => sum + bytes, 0);
    },
    scratch: { path: join(folder, 'scratch'), form },
    form,
    async append(file, text) {
      await handles.get(file)?.appendFile(form.kept(text));
    },
    add(file) {
      added.push(file);
    },
    files: () => Object.keys(kept.bytes).sort(),
    async endDay(day, rows) {
      for (const file of added.splice(0)) {
        await syncFile(join(folder, file));
        kept.bytes[file] = lstatSync(join(folder, file)).size;
      }
      for (const [file, handle] of handles) kept.bytes[file] = (await handle.stat()).size;
      Object.assign(kept, { done: day, rows });
      await writeNote(kept);
    },
    path: (file) => join(folder, file),
    async finish(file) {
      await close();
      await syncFile(join(folder, file));
      await rename(join(folder, file), out);
      await syncFile(dirname(out));
      await rm(folder, { recursive: true });
    },
    close,
  };
}

/** The note of an earlier run of the same export whose files are all there. */
function readNote(
  { noteFile, form }: { noteFile: string; form: Form },
  asked: Asked,
  files: readonly string[],
  folder: string,
): Note | undefined {
  try {
    const note = JSON.parse(form.opened(readFileSync(noteFile)).toString('utf8')) as Note;
    const keys = ['site', 'timezone', 'format', 'from', 'to'] as const;
    if (keys.some((key) => note[key] !== asked[key])) return undefined;
    // A power cut can leave a file shorter than the note says.
    const isThere = (file: string) => {
      const stat = lstatSync(join(folder, file));
      return stat.isFile() && stat.size >= (note.bytes[file] ?? Number.POSITIVE_INFINITY);
    };
    return files.every((file) => note.bytes[file] !== undefined) && Object.keys(note.bytes).every(isThere)
      ? note
      : undefined;
  } catch {
    return undefined;
  }
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
