import { resolve } from 'node:path';
import { progressBar } from './progress.ts';
import { exportUsage, readArgs, UsageError } from './usage.ts';
import { onDesk } from './with_desk.ts';

/** `fairlead export <site>`: ends when the file is whole, and prints one line of JSON about it. */
export async function runExport(args: string[]): Promise<number> {
  const text = { type: 'string' } as const;
  const { values, positionals } = readArgs(args, { format: text, from: text, to: text, out: text }, exportUsage);
  const [site, ...more] = positionals;
  if (site === undefined || more.length > 0 || values.out === undefined) throw new UsageError(`Usage: ${exportUsage}`);
  let done = 0;
  let days: number | undefined;
  const bar = progressBar(1, () => (days === undefined ? 0 : done / days));
  const span = Object.entries({ from: values.from, to: values.to }).filter(([, day]) => day !== undefined);
  const result = await onDesk({
    command: 'export',
    args: {
      site,
      format: String(values.format ?? 'plausible'),
      // The server that writes the file may stand in another folder than its asker.
      out: resolve(String(values.out)),
      ...(Object.fromEntries(span) as Record<string, string>),
    },
    onProgress(progress) {
      const said = progress as { day?: string; done?: number; days?: number; note?: string };
      if (said.note !== undefined) process.stderr.write(`${said.note}\n`);
      if (said.day === undefined) return;
      done = said.done ?? 0;
      days = said.days;
      bar.show(said.day);
    },
  });
  bar.end();
  process.stdout.write(`${JSON.stringify(result)}\n`);
  return 0;
}
