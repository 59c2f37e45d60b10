import { accessSync, constants, createReadStream, statSync } from 'node:fs';
import { progressBar } from './progress.ts';
import { importUsage, readArgs, UsageError, undoUsage } from './usage.ts';
import { onDesk } from './with_desk.ts';

/** `fairlead import events`: ends when the rows can be queried, and prints one line of JSON about them. */
export async function runImport(args: string[]): Promise<number> {
  const { values, positionals } = readArgs(args, { site: { type: 'string' } }, importUsage);
  const [kind, file] = positionals;
  if (kind !== 'events' || file === undefined || values.site === undefined)
    throw new UsageError(`Usage: ${importUsage}`);
  if (file !== '-' && !isReadable(file)) throw new UsageError(`There is no file ${file} that this user may read.`);
  const body = file === '-' ? process.stdin : createReadStream(file);
  const bar = progressBar(file === '-' ? undefined : statSync(file).size, () =>
    file === '-' ? 0 : ((body as { bytesRead?: number }).bytesRead ?? 0),
  );
  const result = (await onDesk({
    command: 'import',
    args: { site: values.site, file: file === '-' ? 'standard input' : file },
    body,
    onProgress(progress) {
      const { lines, note } = progress as { lines?: number; note?: string };
      if (note !== undefined) process.stderr.write(`${note}\n`);
      if (lines !== undefined) bar.show(`${lines} rows`);
    },
  })) as { stopped: Record<string, { rows: number; lines: number[] }> };
  bar.end();
  for (const [reason, { rows, lines }] of Object.entries(result.stopped))
    process.stderr.write(
      `${rows} rows were not stored: ${reason} (lines ${lines.join(', ')}${rows > lines.length ? ', …' : ''})\n`,
    );
  process.stdout.write(`${JSON.stringify(result)}\n`);
  return 0;
}

function isReadable(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return !statSync(file).isDirectory();
  } catch {
    return false;
  }
}

/** `fairlead undo-import`: takes every row of one import out again. */
export async function runUndoImport(args: string[]): Promise<number> {
  const { values, positionals } = readArgs(args, { site: { type: 'string' } }, undoUsage);
  const [number] = positionals;
  if (number === undefined || !/^\d+$/.test(number) || values.site === undefined)
    throw new UsageError(`Usage: ${undoUsage}`);
  process.stdout.write(
    `${JSON.stringify(await onDesk({ command: 'undo-import', args: { site: values.site, import: number } }))}\n`,
  );
  return 0;
}
