import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { actions } from './actions.ts';

/**
 * Names whose feature has not landed, each with why. It must shrink until it is empty.
 */
const awaited: Readonly<Record<string, string>> = {
  ...of('an invitation that is refused is not written down yet', ['invitation.refused']),
  ...of('teams are set as a whole, which is member.changed', ['team.member_added', 'team.member_removed']),
  ...of('nothing seals a secret that can be replaced yet; of the mail server it is mail.settings_changed', [
    'secret.rotated',
  ]),
  ...of('an erasure says of each step what went and how, as request.erased_part', ['subject.shredded']),
  ...of('who runs the desk is named in the settings of its operator', ['operator.granted', 'operator.withdrawn']),
};

/** Names that one template makes, such as `organisation.${state}`, and where. */
const made: Readonly<Record<string, string>> = {
  ...of('accounts/organisations/status_changes.ts', [
    ...['organisation.suspended', 'organisation.resumed', 'organisation.closing', 'organisation.closed'],
  ]),
  ...of('trust/incidents/disclosure_routes.ts', [
    ...['disclosure.allowed', 'disclosure.refused', 'disclosure.disclosed', 'disclosure.told', 'disclosure.untold'],
    'disclosure.noted',
  ]),
};

function of(why: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, why]));
}

const source = join(import.meta.dirname, '..', '..');

/** Every name in quotes in the server's own code, but for the registry and the tests. */
function namesInCode(): Set<string> {
  const names = new Set<string>();
  for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
    if (!entry.name.endsWith('.ts') || entry.name.endsWith('.test.ts')) continue;
    const path = join(entry.parentPath, entry.name);
    if (path.endsWith(join('audit', 'actions.ts'))) continue;
    for (const [, name] of readFileSync(path, 'utf8').matchAll(/'([a-z_]+\.[a-z_]+)'/g)) names.add(name as string);
  }
  return names;
}

test('every act of the registry is written down by a call, and what is called is in the registry (AUD-01)', () => {
  const called = namesInCode();
  const silent = Object.keys(actions).filter((name) => !called.has(name) && !(name in made));
  expect(silent.filter((name) => !(name in awaited))).toEqual([]);
  expect(Object.keys({ ...awaited, ...made }).filter((name) => !(name in actions))).toEqual([]);
});

test('a sentence says what was done, and an alert is for what takes something away or lets somebody in', () => {
  for (const [name, { sentence, class: dataClass }] of Object.entries(actions)) {
    expect(sentence, name).toMatch(/^[a-z][^.]*$/);
    expect(sentence.split('{target}').length, name).toBeLessThanOrEqual(2);
    expect(dataClass, name).toMatch(/^D\d+$/);
  }
});
