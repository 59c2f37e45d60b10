import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findUntidiness, type SourceFile } from './tidy/rules.ts';

const root = join(import.meta.dirname, '..');

test('the house is tidy', () => {
  const findings = findUntidiness(filesOfRepository(), machineWords());
  expect(findings.map((one) => one.sentence)).toEqual([]);
});

describe('the tidy test sees', () => {
  const doors = ['src/relay/index.ts', 'src/platform/postgres/index.ts', 'src/trust/keys/index.ts'].map((path) => ({
    path,
    text: 'export const door = 1;',
  }));
  const rulesOf = (path: string, text: string) => findUntidiness([{ path, text }, ...doors]).map((one) => one.rule);

  test.each<[string, string, string, string[]]>([
    // Import direction.
    [
      'a contract that imports the server',
      'contract/a.ts',
      `import { a } from '../src/platform/log.ts';`,
      ['direction'],
    ],
    [
      'a platform that knows marketing',
      'src/platform/a.ts',
      `import { a } from '../analytics/index.ts';`,
      ['direction'],
    ],
    ['trust above accounts', 'src/trust/keys/a.ts', `import { a } from '../../accounts/index.ts';`, ['direction']],
    ['a subject that imports app', 'src/ads/a.ts', `import type { A } from '../app/serve.ts';`, ['direction']],
    ['subjects the wrong way round', 'src/analytics/a.ts', `import { a } from '../relay/index.ts';`, ['direction']],
    ['a dynamic import', 'src/analytics/a.ts', `await import('../relay/index.ts');`, ['direction']],
    ['a re-export', 'src/analytics/a.ts', `export { a } from '../relay/index.ts';`, ['direction']],
    ['web that imports the server', 'web/src/a.ts', `import { a } from '../../src/platform/log.ts';`, ['direction']],
    [
      'a tracker that imports the server',
      'sdk/src/a.ts',
      `import { a } from '../../src/platform/log.ts';`,
      ['direction'],
    ],
    ['an emulator that imports ours', 'emulators/a.ts', `import { a } from '../contract/index.ts';`, ['direction']],
    ['an unknown part of the house', 'src/attic/a.ts', `import { a } from '../platform/log.ts';`, ['direction']],
    ['nothing in the right direction', 'src/plan/a.ts', `import { a } from '../relay/index.ts';`, []],
    ['nothing in a test', 'src/platform/a.test.ts', `import { a } from '../app/serve.ts';`, []],
    // Front doors.
    ['a way in past the door', 'src/plan/a.ts', `import { a } from '../relay/deliveries.ts';`, ['front door']],
    ['the same in the platform', 'src/app/a.ts', `import { a } from '../platform/postgres/door.ts';`, ['front door']],
    [
      'the same between two parts of trust',
      'src/trust/classes/a.ts',
      `import { a } from '../keys/ring.ts';`,
      ['front door'],
    ],
    ['no door inside the house', 'src/relay/b/a.ts', `import { a } from '../c/d.ts';`, []],
    ['no door where there is none', 'src/app/a.ts', `import { a } from '../platform/http/route.ts';`, []],
    // Packages.
    ['a dependency of the tracker', 'sdk/src/a.ts', `import { z } from 'zod';`, ['packages']],
    [
      'node in the contract',
      'contract/a.ts',
      `import { z } from 'zod'; import { join } from 'node:path';`,
      ['packages'],
    ],
    ['a package in an emulator', 'emulators/a.ts', `import { z } from 'zod';`, ['packages']],
    ['nothing in an emulator of Node alone', 'emulators/a.ts', `import { createServer } from 'node:http';`, []],
    // Time, chance, network, environment.
    ['Date.now', 'src/relay/a.ts', 'Date.now();', ['arguments']],
    ['new Date()', 'src/relay/a.ts', 'new Date();', ['arguments']],
    ['performance.now', 'src/relay/a.ts', 'performance.now();', ['arguments']],
    ['Math.random', 'src/relay/a.ts', 'Math.random();', ['arguments']],
    ['crypto.randomUUID', 'src/relay/a.ts', 'crypto.randomUUID();', ['arguments']],
    ['randomBytes', 'src/relay/a.ts', `import { createHash, randomBytes } from 'node:crypto';`, ['arguments']],
    ['all of node:crypto', 'src/relay/a.ts', `import * as crypto from 'node:crypto';`, ['arguments']],
    ['fetch', 'src/relay/a.ts', `await fetch('x');`, ['arguments']],
    ['globalThis.fetch', 'src/relay/a.ts', `await globalThis.fetch('x');`, ['arguments']],
    ['a request of node:https', 'src/relay/a.ts', `import { request } from 'node:https';`, ['arguments']],
    ['a socket of node:net', 'src/relay/a.ts', `import { connect } from 'node:net';`, ['arguments']],
    ['process.env', 'src/app/a.ts', 'const { HOME } = process.env;', ['arguments']],
    ['env of node:process', 'src/app/a.ts', `import { env } from 'node:process';`, ['arguments']],
    ['a moment as the browser would write it', 'web/src/a.tsx', 'new Date(5).toLocaleString();', ['arguments']],
    ['chance in a page', 'web/src/a.tsx', 'Math.random();', ['arguments']],
    ['nothing in the platform', 'src/platform/a.ts', 'Date.now(); process.env; Math.random();', []],
    ['nothing in a date from a number', 'src/relay/a.ts', 'new Date(5);', []],
    ['nothing in the types of node:http', 'src/relay/a.ts', `import type { IncomingMessage } from 'node:http';`, []],
    ['nothing in a server of node:https', 'src/app/a.ts', `import { createServer } from 'node:https';`, []],
    // Names and shapes.
    ['a folder of helpers', 'src/relay/helpers/a.ts', '', ['names']],
    ['a file of utils', 'web/src/utils.ts', '', ['names']],
    ['a default export', 'src/relay/a.ts', 'export default 1;', ['default export']],
    ['no default export in a config', 'vitest.config.ts', 'export default 1;', []],
    ['a long file', 'src/relay/a.ts', '\n'.repeat(801), ['length']],
    ['no long file that says why', 'src/relay/a.ts', `// Long because it is a list.${'\n'.repeat(801)}`, []],
    ['a file that does not parse', 'src/relay/a.ts', 'const = ;', ['parse']],
    // Tests.
    ['a skipped test', 'src/relay/a.test.ts', `test.skip('x', () => {});`, ['tests']],
    ['a lonely test', 'src/relay/a.test.ts', `describe.only('x', () => {});`, ['tests']],
    ['a test to do', 'src/relay/a.test.ts', `it.todo('x');`, ['tests']],
    ['a test skipped in a table', 'src/relay/a.test.ts', `test.skip.each([1])('x', () => {});`, ['tests']],
    ['a test for some machines', 'src/relay/a.test.ts', `test.runIf(true)('x', () => {});`, ['tests']],
    // Machines.
    ['a path of a machine', 'docs/a.md', `See /${'work'}/main.`, ['machine']],
    ['a registry', 'package-lock.json', `"https://${'registry'}.npmjs.org/zod"`, ['machine']],
  ])('%s', (_what, path, text, rules) => {
    expect([...new Set(rulesOf(path, text))]).toEqual(rules);
  });

  test('the line, and says the rule in a sentence', () => {
    const [one] = findUntidiness([{ path: 'src/ads/a.ts', text: `\n\nimport { a } from '../app/serve.ts';` }]);
    expect(one?.sentence).toBe(
      'src/ads/a.ts:3 (direction): ads imports app: it may import contract, platform, trust, accounts, providers.',
    );
  });
});

/** Tracked files and those about to be: what a commit of everything would hold. */
function filesOfRepository(): SourceFile[] {
  // Without the setting, git refuses to look into a clone that belongs to another user.
  const list = execFileSync(
    'git',
    ['-c', 'safe.directory=*', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  return list
    .split('\0')
    .filter((path) => path !== '' && !/\.(png|jpg|webp|ico|woff2|mmdb|gz)$/.test(path) && isFile(path))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

/** A deleted file is listed until its deletion is committed. */
function isFile(path: string): boolean {
  return statSync(join(root, path), { throwIfNoEntry: false })?.isFile() === true;
}

/** npm tells a script the registry that this machine uses: its name must not get into the repository either. */
function machineWords(): string[] {
  const registry = process.env.npm_config_registry;
  if (registry === undefined || !URL.canParse(registry)) return [];
  const { hostname } = new URL(registry);
  return ['localhost', '127.0.0.1', '::1'].includes(hostname) ? [] : [hostname];
}
