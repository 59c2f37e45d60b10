import { ConfigError, readConfig } from '../platform/config.ts';
import { doctor } from './doctor.ts';
import { explainHits } from './explain.ts';
import { runImport, runUndoImport } from './import_command.ts';
import { migrate } from './migrate.ts';
import { serve } from './serve.ts';
import { runSetUp } from './set_up_command.ts';
import { UsageError } from './usage.ts';
import { version } from './version.ts';

/**
 * `fairlead <command>`. Results go to standard output, everything else to standard error.
 * Exit codes: 0 done, 1 it failed (a sentence says why), 2 the command line cannot be read.
 */
const commands: Record<string, { summary: string; run(args: string[]): Promise<number | undefined> }> = {
  serve: { summary: 'run the desk (what npm start does)', run: async () => void (await serve(readConfig())) },
  migrate: { summary: 'bring both schemas up to date and end', run: migrate },
  setup: { summary: 'create owner, organisation and sites without a browser', run: runSetUp },
  import: { summary: 'import events <file.ndjson> --site <domain>', run: runImport },
  'undo-import': { summary: 'undo-import <number> --site <domain>', run: runUndoImport },
  explain: { summary: 'explain hits: what becomes of each hit, NDJSON in and out, no stores', run: explainHits },
  doctor: { summary: 'check disk, ports, stores, clock, proxy and keys, and say what to do', run: doctor },
};

async function main(argv: string[]): Promise<number> {
  const [name = '', ...args] = argv;
  if (name === '--version' || name === 'version') {
    process.stdout.write(`${version}\n`);
    return 0;
  }
  const command = commands[name];
  if (command === undefined) {
    const wanted = name === '' || name === 'help' || name === '--help';
    (wanted ? process.stdout : process.stderr).write(`${wanted ? '' : `There is no command "${name}".\n\n`}${usage()}`);
    return wanted ? 0 : 2;
  }
  return (await command.run(args)) ?? 0;
}

function usage(): string {
  const rows = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(12)} ${summary}`);
  return `fairlead ${version}\n\nUsage: fairlead <command> [options]\n\n${rows.join('\n')}\n`;
}

/** Failures that have a sentence of their own; anything else is a fault of ours and shows where it happened. */
const spoken = new Set([
  'ConfigError',
  'RequestError',
  'ControlError',
  'DataDirTaken',
  'KeyFileError',
  'PostgresRefused',
  'WarehouseRefused',
  'UsageError',
]);

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
    // The embedded engine keeps threads of its own; a command that has said everything must not wait for them.
    setImmediate(() => process.exit(code));
  },
  (error: Error) => {
    if (error instanceof ConfigError)
      for (const { variable, problem, fix } of error.problems) process.stderr.write(`${variable}: ${problem} ${fix}\n`);
    else if (spoken.has(error.name) || /^(Port|This machine has no address)/.test(error.message))
      process.stderr.write(`${error.message}\n`);
    else process.stderr.write(`${error.stack}\n`);
    process.exit(error instanceof UsageError ? 2 : 1);
  },
);
