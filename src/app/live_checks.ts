import { isIP } from 'node:net';
import { dirname } from 'node:path';
import type { CheckResult, LiveCheck } from '../platform/checks.ts';
import { pause } from '../platform/clock.ts';
import type { Config } from '../platform/config.ts';
import type { AskSelf } from '../platform/http/ask_self.ts';
import type { SealedFolder } from '../platform/sealed_folder.ts';
import type { House } from '../platform/subject.ts';
import { canaryOf, openerOf, scanFolders } from '../trust/proof/index.ts';
import { type Finding, standingFindings } from './doctor.ts';

const noServer = { state: 'not_run', fact: 'no server runs on this desk, so there is nobody to ask' } as const;

/** What the doctor looks at while nothing runs, each as a check of its own. */
const standing: Record<string, { id: string; proves: readonly string[] }> = {
  disk: { id: 'disk', proves: [] },
  'data directory': { id: 'data-directory', proves: [] },
  key: { id: 'key-file', proves: [] },
  'key file': { id: 'key-file', proves: [] },
  'encryption at rest': { id: 'at-rest', proves: ['CRY-06'] },
  clock: { id: 'clock', proves: [] },
  proxy: { id: 'proxy', proves: ['PSE-10'] },
  certificate: { id: 'certificate', proves: [] },
};

export function machineChecks(config: Config): LiveCheck[] {
  const names = [...new Set(standingFindings(config).map(({ what }) => what))];
  return names.map(
    (what): LiveCheck => ({
      ...{ id: standing[what]?.id ?? what, what, proves: standing[what]?.proves ?? [] },
      ...{ every: 'day', audience: 'operator' },
      run: async () => folded(standingFindings(config).filter((one) => one.what === what)),
    }),
  );
}

/** Several findings of one thing as one: the worst state, every fact, every step. */
function folded(findings: readonly Finding[]): CheckResult {
  const states = findings.map(({ state }) => state);
  const todo = findings.flatMap((one) => (one.todo === undefined ? [] : [one.todo])).join('; ');
  if (findings.length === 0) return { state: 'not_run', fact: 'there is nothing to look at' };
  return {
    state: states.includes('wrong') ? 'wrong' : states.includes('look') ? 'look' : 'ok',
    fact: findings.map(({ fact }) => fact).join('; '),
    ...(todo === '' ? {} : { todo }),
  };
}

/** What each header of a page and of a call must say. */
const ofPages: Record<string, RegExp> = {
  'content-security-policy': /default-src 'none'.*base-uri 'none'.*frame-ancestors 'none'/,
  'x-content-type-options': /^nosniff$/,
  'referrer-policy': /^no-referrer$/,
  'cross-origin-opener-policy': /^same-origin$/,
  'cross-origin-resource-policy': /^same-(site|origin)$/,
  'permissions-policy': /camera=\(\)/,
  'x-frame-options': /^DENY$/,
};
const hsts: Record<string, RegExp> = { 'strict-transport-security': /max-age=(31536000|[4-9]\d{7}|\d{9,})/ };

/** Asks the desk for a page, a call, an end of a session and an event, and reads what it says to the browser. */
export function headerCheck(config: Config, askSelf: AskSelf | undefined): LiveCheck {
  return {
    id: 'headers',
    what: 'headers and cookies',
    proves: ['COK-01', 'COK-03', 'COL-01', 'CRY-05'],
    every: 'day',
    audience: 'everyone',
    async run() {
      if (askSelf === undefined) return noServer;
      const faults: string[] = [];
      let held = 0;
      const must = (holds: boolean, fault: string) => {
        if (holds) held++;
        else faults.push(fault);
      };
      const isSecure = config.publicUrl.startsWith('https:');
      const asBrowser = { ...forwarded(config, '127.0.0.1'), origin: new URL(config.publicUrl).origin };
      const wanted = { ...ofPages, ...(isSecure ? hsts : {}) };
      if (config.role === 'all' || config.role === 'app') {
        for (const path of ['/', '/api/session']) {
          const { headers } = await askSelf({ method: 'GET', path, headers: asBrowser });
          for (const [name, value] of Object.entries(
            path === '/' ? wanted : { ...wanted, 'cache-control': /no-store/ },
          ))
            must(value.test(String(headers[name] ?? '')), `${path} does not send ${name} as it must`);
          must(headers['set-cookie'] === undefined, `${path} sets a cookie before anybody signs in`);
        }
        const ended = await askSelf({ method: 'DELETE', path: '/api/sessions/current', headers: asBrowser });
        const cookies = ended.headers['set-cookie'] ?? [];
        must(cookies.length > 0, 'signing out clears no cookie');
        for (const cookie of cookies)
          must(
            cookie.startsWith('__Host-') &&
              ['Path=/', 'HttpOnly', 'Secure', 'SameSite=Lax'].every((flag) => cookie.includes(flag)),
            `the cookie ${cookie.split('=')[0]} lacks a guard`,
          );
      }
      if (config.role === 'all' || config.role === 'collect') {
        const { headers } = await askSelf({ method: 'POST', path: '/api/event', headers: asBrowser, body: '{}' });
        must(headers['set-cookie'] === undefined, 'the way in of events sets a cookie');
        must(headers.etag === undefined, 'the way in of events sends an ETag');
        must(headers['access-control-allow-credentials'] === undefined, 'the way in of events takes credentials');
      }
      return faults.length === 0
        ? {
            state: 'ok',
            fact: `${held} of ${held} as they must be${isSecure ? '' : '; without HTTPS there is no HSTS'}`,
          }
        : {
            state: 'wrong',
            fact: faults.slice(0, 5).join('; '),
            todo: 'Take back what changes answers between here and the browser; on an unchanged desk this is a fault to report.',
          };
    },
  };
}

/** As a proxy in front of the desk would say it, where one is trusted. */
function forwarded(config: Config, address: string): Record<string, string> {
  if (config.trustedProxies === 0) return {};
  const chain = [address, ...Array.from({ length: config.trustedProxies - 1 }, () => '127.0.0.1')];
  return { 'x-forwarded-for': chain.join(', '), 'x-forwarded-proto': new URL(config.publicUrl).protocol.slice(0, -1) };
}

/** The stores write what they have taken within seconds. */
const settleMs = 2_000;

/**
 * Sends one event with an address, a User-Agent and a key that nothing else has, and looks for them in everything that was
 * written since, in what is packed or sealed too. The event is for a site that no desk has, so it is dropped and counted as such; no customer's data is
 * touched. The address is of the range for documentation (RFC 3849), so it is nobody's.
 */
export function canaryCheck(
  house: Pick<House, 'config' | 'clock' | 'random' | 'postgres'>,
  askSelf: AskSelf | undefined,
  sealed: readonly SealedFolder[],
): LiveCheck {
  const { config, clock, random, postgres } = house;
  return {
    id: 'canaries',
    what: 'canary scan',
    proves: ['PSE-04', 'COL-13', 'CRY-12'],
    every: 'week',
    audience: 'everyone',
    async run() {
      if (askSelf === undefined) return noServer;
      const packed = Buffer.concat([Buffer.from('20010db8', 'hex'), random.bytes(12)]);
      const address = (packed.toString('hex').match(/.{4}/g) as string[])
        .map((part) => Number.parseInt(part, 16).toString(16))
        .join(':');
      const [agent, key, site] = [random.bytes(12), random.bytes(16), random.bytes(8)].map((bytes) =>
        bytes.toString('hex'),
      ) as [string, string, string];
      const isPlanted = config.trustedProxies > 0 && isIP(address) === 6;
      const startedMs = clock.now();
      const asVisitor = { ...forwarded(config, address), 'user-agent': `Canary/1.0 (${agent})` };
      const taken = config.role === 'all' || config.role === 'collect';
      if (taken)
        await askSelf({
          method: 'POST',
          path: '/api/event',
          headers: { ...asVisitor, 'content-type': 'text/plain' },
          body: JSON.stringify({ n: 'pageview', u: `https://${site}.invalid/`, d: `${site}.invalid` }),
        });
      await askSelf({ method: 'GET', path: `/api/session?token=${key}`, headers: { authorization: `Bearer ${key}` } });
      await pause(clock, settleMs, new AbortController().signal);
      const folders = [config.dataDir, ...postgres.directories];
      // A second of room: file systems keep times more coarsely than the clock.
      const canaries = [
        ...(isPlanted ? [canaryOf('an address', address, packed)] : []),
        ...(taken ? [canaryOf('a User-Agent', agent)] : []),
        canaryOf('a key', key),
      ];
      const open = openerOf(config.dataDir, sealed);
      const seen = await scanFolders(folders, startedMs - 1_000, canaries, { open, clock });
      const [first] = seen.found;
      if (first !== undefined)
        return {
          state: 'wrong',
          fact: `${seen.found
            .map(({ what, file }) => `${what} in ${file}`)
            .slice(0, 5)
            .join('; ')}`,
          todo: 'Keep these files as they are and report it: the desk must never write these.',
        };
      const fact = `none of ${canaries.length} canaries in ${seen.files} files (${(seen.bytes / 1e6).toFixed(1)} MB) written since${insideWords(seen)}`;
      if (seen.files === 0)
        return {
          state: 'not_run',
          fact: `nothing was written since in ${folders.map((one) => dirname(one)).length} folders`,
        };
      const unplanted = isPlanted ? '' : '; no proxy is trusted, so no address could be planted';
      return seen.closed === 0
        ? { state: 'ok', fact: `${fact}${unplanted}` }
        : {
            state: 'look',
            fact: `${fact}; ${seen.closed} could not be read${unplanted}`,
            todo: 'Give the data directory to the user that runs the desk.',
          };
    },
  };
}

/** How far the scan looked into what is packed or sealed. */
function insideWords({ opened, sealed, packed, cut }: Awaited<ReturnType<typeof scanFolders>>): string {
  return [
    opened > 0 && `${opened} of them opened`,
    packed > 0 && `${packed} packed and not opened`,
    sealed > 0 && `${sealed} sealed and not opened`,
    cut > 0 && `${cut} not opened to the end, for time or size`,
  ]
    .filter((one) => one !== false)
    .map((one) => `; ${one}`)
    .join('');
}
