import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import * as written from '../contract/destinations.ts';
import { factsOf, findDestinations } from '../scripts/write-destinations.ts';
import { relayVariables } from '../src/platform/relay_config.ts';
import { providers } from '../src/providers/index.ts';
import { destinations } from '../src/relay/destinations/index.ts';
import { relayReceivers } from '../src/trust/register/relay_receivers.ts';

const root = join(import.meta.dirname, '..');

it('what is told of destinations elsewhere is what their files say; else run `npm run write`', async () => {
  const found = (await findDestinations()).map(({ destination }) => destination);
  expect(destinations.map(({ id }) => id)).toEqual(found.map(({ id }) => id));
  expect(factsOf(found)).toEqual({ ...written });
});

it('a destination is its file: it is named in no other that somebody writes', async () => {
  for (const { destination } of await findDestinations()) {
    const { id, receiver } = destination;
    expect(relayReceivers().filter((row) => row.id === id)).toHaveLength(1);
    expect(Object.hasOwn(relayVariables, id)).toBe(receiver !== undefined);
    expect(providers.some(({ destinations: kinds }) => kinds.includes(id))).toBe(
      destination.credential.kind !== 'none',
    );
  }
  const hands = ['src/trust/register/relay_receivers.ts', 'src/platform/relay_config.ts', 'src/providers/pasted.ts'];
  for (const path of [
    ...hands,
    'contract/connections.ts',
    'contract/canonical_fields.ts',
    'src/relay/reading/match.ts',
  ])
    expect(readFileSync(join(root, path), 'utf8')).not.toMatch(/outbrain|taboola|ob_click_id|tblci|pinterest/i);
});
