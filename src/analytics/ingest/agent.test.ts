import { describe, expect, test } from 'vitest';
import { readAgent, userAgentCharsMax } from './agent.ts';
import { browserNames, browserRules, hintedBrands, systemNames } from './data/agent_names.ts';
import { labelledAgents } from './data/labelled_agents.ts';

describe('A User-Agent becomes a browser, a system and a class of device', () => {
  for (const [browser, browserVersion, os, osVersion, device, userAgent, hints] of labelledAgents) {
    const headers = hints && { 'sec-ch-ua': hints[0], 'sec-ch-ua-platform': hints[1], 'sec-ch-ua-mobile': hints[2] };
    test(`${browser} ${browserVersion} on ${os} ${osVersion}, ${device}: ${userAgent} ${hints?.[0] ?? ''}`, () => {
      expect(readAgent(userAgent, headers)).toEqual({
        browser,
        browser_version: browserVersion,
        os,
        os_version: osVersion,
        device,
      });
    });
  }
});

test('The labelled set is large enough to mean something', () => {
  expect(labelledAgents.length).toBeGreaterThanOrEqual(110);
});

test('A hint for one request does not change what the next one with the same User-Agent gets', () => {
  const userAgent =
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/132.0.0.0 Safari/537.36';
  const plain = readAgent(userAgent);
  expect(readAgent(userAgent, { 'sec-ch-ua': '"Brave";v="132"' }).browser).toBe('Brave');
  expect(readAgent(userAgent)).toEqual(plain);
  expect(plain.browser).toBe('Chrome');
});

describe('Nothing that a stranger writes into a User-Agent becomes a value', () => {
  const canary = 'Zebra77Canary';
  const names = new Set([
    '',
    'iOS WebView',
    ...Object.values(browserNames),
    ...Object.values(systemNames),
    ...Object.values(hintedBrands),
    ...browserRules.map(([name]) => name),
  ]);
  test.each([
    `${canary}/1.0`,
    `Mozilla/5.0 (${canary}; ${canary} NT 10.0) ${canary}/5`,
    `Mozilla/5.0 (Windows NT ${canary}) AppleWebKit/537.36 Chrome/${canary} Safari/537.36`,
    `Mozilla/5.0 (Linux; Android ${canary}; ${canary}) Chrome/1${canary} Mobile`,
    `Mozilla/5.0 (Xbox; Xbox ${canary}) ${canary}`,
    `Mozilla/5.0 (iPhone; CPU iPhone OS ${canary} like Mac OS X) Instagram ${canary}`,
    'constructor/1 __proto__/2 toString',
    '\u0000\ud800 Mozilla \udfff',
    '',
    'x'.repeat(100_000),
    `Mozilla/5.0 ${'('.repeat(5000)}`,
  ])('%j', (userAgent) => {
    const agent = readAgent(userAgent, { 'sec-ch-ua': `"${canary}";v="${canary}"`, 'sec-ch-ua-platform': canary });
    expect(JSON.stringify(agent)).not.toMatch(/zebra/i);
    expect(names.has(agent.browser) && names.has(agent.os)).toBe(true);
    for (const version of [agent.browser_version, agent.os_version]) expect(version).toMatch(/^[\d.]{0,12}$|^XP$/);
  });
});

test('Hostile lengths are read in time that does not grow with them', () => {
  const started = performance.now();
  for (const filler of ['(', ' ', 'OPR/1', 'TikTok', 'Version/1 ', 'Android ', '"a";v="1",', 'trill app_version']) {
    const long = filler.repeat(20_000);
    readAgent(long, { 'sec-ch-ua': long });
    readAgent(`Mozilla/5.0 ${long.slice(0, userAgentCharsMax - 20)}`);
  }
  // 16 readings of about 15 µs; a pattern that backtracks would take seconds.
  expect(performance.now() - started).toBeLessThan(500);
});
