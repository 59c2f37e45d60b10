import { accessSync, constants, createReadStream, statSync } from 'node:fs';
import { progressBar } from './progress.ts';
import { importsUsage, importUsage, readArgs, UsageError, undoUsage } from './usage.ts';
import { onDesk } from './with_desk.ts';

/** `fairlead import <kind>`: ends when the rows can be queried, and prints one line of JSON about them. */
export async function runImport(args: string[]): Promise<number> {
  const options = { site: { type: 'string' }, 'dry-run': { type: 'boolean' } } as const;
  const { values, positionals } = readArgs(args, options, importUsage);
  const [kind, file, ...more] = positionals;
  if (kind === undefined || file === undefined || more.length > 0 || values.site === undefined)
    throw new UsageError(`Usage: ${importUsage}`);
  if (file !== '-' && !isReadable(file)) throw new UsageError(`There is no file ${file} that this user may read.`);
  const body = file === '-' ? process.stdin : createReadStream(file);
  const bar = progressBar(file === '-' ? undefined : statSync(file).size, () =>
    file === '-' ? 0 : ((body as { bytesRead?: number }).bytesRead ?? 0),
  );
  const result = (await onDesk({
    command: 'import',
    args: {
      kind,
      site: String(values.site),
      file: file === '-' ? 'standard input' : file,
      ...(values['dry-run'] === true ? { dry_run: '1' } : {}),
    },
    body,
    onProgress(progress) {
      const { lines, note } = progress as { lines?: number; note?: string };
      if (note !== undefined) process.stderr.write(`${note}\n`);
      if (lines !== undefined) bar.show(`${lines} rows`);
    },
  })) as { stopped: Record<string, { rows: number; lines: (number | string)[] }>; notUnderstood?: string[] };
  bar.end();
  for (const [reason, { rows, lines }] of Object.entries(result.stopped))
    process.stderr.write(
      `${rows} rows were not stored: ${reason} (lines ${lines.join(', ')}${rows > lines.length ? ', …' : ''})\n`,
    );
  for (const name of result.notUnderstood ?? []) process.stderr.write(`Not read: ${name}\n`);
  process.stdout.write(`${JSON.stringify(result)}\n`);
  return 0;
}

/** `fairlead imports`: the imports of a site, newest first, one line of JSON each. */
export async function runImports(args: string[]): Promise<number> {
  const { values, positionals } = readArgs(args, { site: { type: 'string' } }, importsUsage);
  if (values.site === undefined || positionals.length > 0) throw new UsageError(`Usage: ${importsUsage}`);
  const { imports } = (await onDesk({ command: 'imports', args: { site: String(values.site) } })) as {
    imports: object[];
  };
  for (const one of imports) process.stdout.write(`${JSON.stringify(one)}\n`);
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
    `${JSON.stringify(await onDesk({ command: 'undo-import', args: { site: String(values.site), import: number } }))}\n`,
  );
  return 0;
}
