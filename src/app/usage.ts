import { parseArgs } from 'node:util';

export const demoUsage = 'fairlead demo [--days 90] [--port 7171] [--seed <word>] [--folder demo-data]';
export const setUpUsage =
  'fairlead setup --email <address> --organisation <name> --site <domain> [--site …] [--timezone Europe/Berlin] [--currency EUR] [--retention-months 25] [--goal /thanks --goal purchase:EUR …] [--new-key] < password';
export const importUsage =
  'fairlead import events|access-log|plausible|umami|ga4 <file> --site <domain> [--dry-run]   (- reads standard input)';
export const importsUsage = 'fairlead imports --site <domain>';
export const undoUsage = 'fairlead undo-import <number> --site <domain>';
export const exportUsage =
  'fairlead export <domain> --out <file> [--format plausible|ndjson|parquet] [--from 2026-01-01] [--to 2026-01-31]';
export const auditUsage = 'fairlead audit verify [--file <export.ndjson> [--key <public key>]]';
export const organisationsUsage =
  'fairlead organisations suspend <address in /o/…, or e-mail of a person> --reason "…" | fairlead organisations resume <the same>';
export const creditsUsage =
  'fairlead credits <address in /o/…> | fairlead credits add <organisation> <credits> [--expires 2027-11-30] [--reference "Invoice 12"] [--key <word>] | fairlead credits take <organisation> <credits>';
export const signUpUsage =
  'fairlead sign-up | fairlead sign-up off|open|invitation | fairlead sign-up domains shop.example,team.shop.example';
export const peopleUsage =
  'fairlead people reset <e-mail> | fairlead people second-factor-off <e-mail> | fairlead people suspend <e-mail> --reason "…" | fairlead people resume <e-mail> | fairlead people status <e-mail>';
export const proveUsage = 'fairlead prove [--json]';
export const mailUsage = 'fairlead mail bounce < report.eml';
export const explainUsage =
  'fairlead explain hits < hits.ndjson | fairlead explain captures < captures.ndjson | fairlead explain conversions|errors --destination <id> < lines.ndjson | fairlead explain identifiers --platform meta|google|tiktok|microsoft|linkedin|pinterest|snap|reddit|x < identifiers.ndjson';

export const accessLogUsage = 'fairlead access-log [<day>], for example fairlead access-log 2026-11-28';
export const backupUsage =
  'fairlead backup [--to <folder>] | fairlead backup list [--to <folder>] | fairlead backup new-key | fairlead backup keys | fairlead backup waiting | fairlead backup release';
export const restoreUsage =
  'fairlead restore --from <folder or file, or s3> [--key-file <file>]; without --key-file the recovery key is read from standard input';
export const vaultUsage =
  'fairlead vault status | fairlead vault rotate [--organisation <slug>] | fairlead vault rotate --root [--prepare] | fairlead vault forget-root <id> | fairlead vault destroy <organisation>';

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** parseArgs whose complaints are ours. @throws UsageError */
export function readArgs<T extends NonNullable<Parameters<typeof parseArgs>[0]>['options']>(
  args: string[],
  options: T,
  usage: string,
) {
  try {
    return parseArgs({ args, options: options as NonNullable<T>, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split('. ')[0]}.\nUsage: ${usage}`);
  }
}
