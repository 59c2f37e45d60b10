import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ofPeople } from '../contract/relay_reading.ts';
import type { Destination } from '../src/relay/destinations/destination.ts';

const repository = resolve(import.meta.dirname, '..');
const folder = join(repository, 'src/relay/destinations');

/** A destination, and where it stands: `tiktok.ts` exports `tiktok`. */
export interface Found {
  readonly file: string;
  readonly name: string;
  readonly destination: Destination;
}

/** Every destination of the folder, in the order of their labels: the order of the form. */
export async function findDestinations(): Promise<Found[]> {
  const found: Found[] = [];
  for (const file of readdirSync(folder).filter((name) => /^\w+\.ts$/.test(name) && !isListed(name))) {
    const exported = (await import(pathToFileURL(join(folder, file)).href)) as Record<string, unknown>;
    for (const [name, value] of Object.entries(exported))
      if (isDestination(value)) found.push({ file, name, destination: value });
  }
  return found.sort((one, other) => (one.destination.label < other.destination.label ? -1 : 1));
}

/** They import the list that is written here. */
function isListed(name: string): boolean {
  return name === 'index.ts' || name === 'list.ts';
}

function isDestination(value: unknown): value is Destination {
  return typeof value === 'object' && value !== null && 'batchMax' in value && 'identify' in value;
}

/** What lower parts of the house know of destinations, which they cannot import: by kind, as plain values. */
export function factsOf(destinations: readonly Destination[]) {
  const pasted = destinations.flatMap(({ id, secret, receiver }) =>
    secret?.pasted === undefined ? [] : [{ id, ...secret.pasted, host: receiver?.host ?? null }],
  );
  return {
    pastedProviders: pasted.map(({ id }) => id),
    destinationClickIds: [...new Set(destinations.flatMap(({ clickIds = [] }) => clickIds))],
    pastedPlatforms: pasted,
    destinationVersions: Object.fromEntries(
      destinations.flatMap(({ id, label, receiver, version }) => {
        if (version === undefined) return [];
        const { variable = `FAIRLEAD_${settingName(id)}_VERSION`, standard, is } = version;
        return [[id, { label: receiver?.label ?? label, variable, standard, is: is.source }]];
      }),
    ),
    destinationReceivers: Object.fromEntries(
      destinations.flatMap(({ id, label, receiver, matchesBy = ofPeople }) =>
        receiver === undefined
          ? []
          : [
              [
                id,
                {
                  label,
                  variable: `FAIRLEAD_RELAY_${settingName(id)}_URL`,
                  ...receiver,
                  getsHashes: matchesBy.some((key) => (ofPeople as readonly string[]).includes(key)),
                },
              ],
            ],
      ),
    ),
  };
}

function settingName(id: string): string {
  return id.toUpperCase().replaceAll('-', '_');
}

const notice = '// Written by `npm run write` from the files of src/relay/destinations, and not by hand.\n';

function contractText(destinations: readonly Destination[]): string {
  const { pastedProviders, destinationClickIds, pastedPlatforms, destinationReceivers, destinationVersions } =
    factsOf(destinations);
  return `${notice}
/** Platforms of which a secret is pasted, and which nobody signs in at. */
export const pastedProviders = ${JSON.stringify(pastedProviders)} as const;

/** Click ids that a destination brought with it. */
export const destinationClickIds = ${JSON.stringify(destinationClickIds)} as const;

/** What is pasted of each, and where somebody finds it. Without a host, the settings of a destination name it. */
export const pastedPlatforms = ${JSON.stringify(pastedPlatforms)} as const;

/** By kind of destination whose interface has a version: the operator's setting, what holds without it, and its shape. */
export const destinationVersions: Readonly<Record<string, DestinationVersion>> = ${JSON.stringify(destinationVersions)};
export interface DestinationVersion {
  readonly label: string;
  readonly variable: string;
  readonly standard: string;
  readonly is: string;
}

/** By kind of destination: whose it is, its host, and the operator's setting for another address. */
export const destinationReceivers: Readonly<Record<string, DestinationReceiver>> = ${JSON.stringify(destinationReceivers)};
export interface DestinationReceiver {
  readonly label: string;
  readonly host: string;
  readonly variable: string;
  readonly legalName: string;
  readonly policyUrl?: string;
  readonly termsUrl?: string;
  /** Of what somebody wrote of themselves, and not the ids of clicks alone. */
  readonly getsHashes: boolean;
}
`;
}

function listText(found: readonly Found[]): string {
  const imports = found.map(({ file, name }) => `import { ${name} } from './${file}';`).sort();
  return `${notice}
import type { Destination } from './destination.ts';
${imports.join('\n')}

/** Every platform that conversions can be sent to, in the order of the form. */
export const destinations: readonly Destination[] = [${found.map(({ name }) => name).join(', ')}];
`;
}

/**
 * `npm run write` begins with it: what is told of a destination elsewhere is taken from its own file. It may be run at any
 * time, also where what was written before is old.
 */
if (import.meta.main) {
  const found = await findDestinations();
  const files = {
    'contract/destinations.ts': contractText(found.map(({ destination }) => destination)),
    'src/relay/destinations/list.ts': listText(found),
  };
  for (const [file, text] of Object.entries(files)) writeFileSync(join(repository, file), text);
  execFileSync(join(repository, 'node_modules/.bin/biome'), ['check', '--write', ...Object.keys(files)], {
    ...{ cwd: repository, stdio: ['ignore', 'ignore', 'inherit'] },
  });
  process.stdout.write(`${found.length} destinations\n`);
}
