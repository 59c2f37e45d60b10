import { ConfigError, readConfig } from '../platform/config.ts';
import { keepCompiled } from './compiled.ts';
import {
  accessLogUsage,
  auditUsage,
  backupUsage,
  creditsUsage,
  demoUsage,
  explainUsage,
  exportUsage,
  importsUsage,
  importUsage,
  mailUsage,
  organisationsUsage,
  peopleUsage,
  proveUsage,
  restoreUsage,
  setUpUsage,
  signUpUsage,
  UsageError,
  undoUsage,
  vaultUsage,
} from './usage.ts';
import { version } from './version.ts';

/**
 * `fairlead <command>`. Results go to standard output, everything else to standard error.
 * Each command loads what it needs when it runs: the stores' libraries alone take longer than `explain` has to.
 * Exit codes: 0 done, 1 it failed (a sentence says why), 2 the command line cannot be read.
 */
const commands: Record<string, Command> = {
  serve: { summary: 'run the desk (what npm start does)', run: alone(runServe) },
  demo: {
    summary: 'a desk of its own with made-up visitors, for a look around (what npm run demo does)',
    usage: demoUsage,
    run: async (args) => (await import('./demo.ts')).runDemo(args),
  },
  migrate: {
    summary: 'bring both schemas up to date and end',
    run: alone(async () => (await import('./migrate.ts')).migrate()),
  },
  setup: {
    summary: 'create owner, organisation and sites without a browser',
    usage: setUpUsage,
    run: async (args) => (await import('./set_up_command.ts')).runSetUp(args),
  },
  import: {
    summary: 'take past numbers in: events, access logs, exports of Plausible, Umami and GA4',
    usage: importUsage,
    run: async (args) => (await import('./import_command.ts')).runImport(args),
  },
  imports: {
    summary: 'list the imports of a site',
    usage: importsUsage,
    run: async (args) => (await import('./import_command.ts')).runImports(args),
  },
  'undo-import': {
    summary: 'undo-import <number> --site <domain>',
    usage: undoUsage,
    run: async (args) => (await import('./import_command.ts')).runUndoImport(args),
  },
  export: {
    summary: "write a site's days as Plausible's tables, or its events as NDJSON",
    usage: exportUsage,
    run: async (args) => (await import('./export_command.ts')).runExport(args),
  },
  audit: {
    summary: 'audit verify: hold the audit log, or an exported one, against its hashes and signatures',
    usage: auditUsage,
    run: async (args) => (await import('./audit_command.ts')).runAudit(args),
  },
  organisations: {
    summary: 'organisations suspend: stop an organisation or a person, or let them go on',
    usage: organisationsUsage,
    run: async (args) => (await import('./organisations_command.ts')).runOrganisations(args),
  },
  credits: {
    summary: 'credits: what an organisation has left; credits add, take: adds some, or takes them back',
    usage: creditsUsage,
    run: async (args) => (await import('./credits_command.ts')).runCredits(args),
  },
  people: {
    summary:
      'people reset, second-factor-off, suspend, resume, status: let somebody in who is locked out, or keep somebody out',
    usage: peopleUsage,
    run: async (args) => (await import('./people_command.ts')).runPeople(args),
  },
  'sign-up': {
    summary: 'sign-up: who may sign up by themselves; sign-up off, open, invitation, domains set it',
    usage: signUpUsage,
    run: async (args) => (await import('./sign_up_command.ts')).runSignUp(args),
  },
  mail: {
    summary: 'mail bounce: read a delivery report from standard input, and suppress mailboxes that are gone',
    usage: mailUsage,
    run: async (args) => (await import('./mail_command.ts')).runMail(args),
  },
  explain: {
    summary:
      'what becomes of each hit (hits), what a platform gets of each identifier (identifiers), NDJSON in and out, no stores',
    usage: explainUsage,
    run: async (args) => (await import('./explain.ts')).explain(args),
  },
  backup: {
    summary:
      'backup: both databases and the key store into a sealed file; backup release lets the mail of a restored desk go',
    usage: backupUsage,
    run: async (args) => (await import('./backup_command.ts')).runBackup(args),
  },
  restore: {
    summary: 'restore --from: a desk out of a backup, in an empty data directory, with the recovery key alone',
    usage: restoreUsage,
    run: async (args) => (await import('./restore_command.ts')).runRestore(args),
  },
  vault: {
    summary: 'vault rotate: new keys for what is sealed, or a new root key, while everything goes on',
    usage: vaultUsage,
    run: async (args) => (await import('./vault_command.ts')).runVault(args),
  },
  'access-log': {
    summary: 'who asked the account plane for what: a day, the newest first; written to the trail',
    usage: accessLogUsage,
    run: async (args) => (await import('./access_log_command.ts')).runAccessLog(args),
  },
  prove: {
    summary: 'prove: run every live check on this desk, store the signed result; exit code 1 when one is red',
    usage: proveUsage,
    run: async (args) => (await import('./prove_command.ts')).runProve(args),
  },
  doctor: {
    summary: 'check disk, ports, stores, clock, proxy and keys, and say what to do',
    run: alone(async () => (await import('./doctor.ts')).doctor()),
  },
};

interface Command {
  summary: string;
  /** Absent: the name alone. */
  usage?: string;
  run(args: string[]): Promise<number | undefined>;
}

async function runServe(): Promise<undefined> {
  const config = readConfig();
  await (await import('./serve.ts')).serve(config);
}

/** A command that takes nothing refuses what it is given, rather than passing over a mistyped option. */
function alone(run: () => Promise<number | undefined>): Command['run'] {
  return async ([first]) => {
    if (first !== undefined) throw new UsageError(`This command takes nothing, and was given "${first}".`);
    return run();
  };
}

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
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(`${command.summary}\n\nUsage: ${command.usage ?? `fairlead ${name}`}\n`);
    return 0;
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
  'DataDirRefused',
  'KeyFileError',
  'PostgresRefused',
  'WarehouseRefused',
  'UsageError',
  'BundleError',
  'BackupError',
]);

// Whoever reads our results may stop reading: `fairlead explain hits | head` is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

keepCompiled();

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
