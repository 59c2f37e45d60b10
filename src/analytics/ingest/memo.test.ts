import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { remembering } from './memo.ts';

it('answers each key with its own answer, and asks again only for what it has let go', () => {
  const asked: string[] = [];
  const lengthOf = remembering({
    keysMax: 1_000,
    keyCharsMax: 50,
    answer: (key) => {
      asked.push(key);
      return `answer to ${key}`;
    },
  });
  const keys = Array.from({ length: 1_000 }, (_, n) => `agent ${n}`);
  for (let round = 0; round < 3; round++) for (const key of keys) expect(lengthOf(key)).toBe(`answer to ${key}`);
  expect(asked).toEqual(keys);
  for (let n = 0; n < 3_000; n++) lengthOf(`other ${n}`);
  expect(lengthOf('agent 5')).toBe('answer to agent 5');
  expect(asked.filter((key) => key === 'agent 5')).toHaveLength(2);
  const tooLong = 'x'.repeat(51);
  lengthOf(tooLong);
  lengthOf(tooLong);
  expect(asked.filter((key) => key === tooLong)).toHaveLength(2);
});

it('no User-Agent is in the memory of the process once its request is over (PSE-08)', () => {
  const here = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);
  // A process of its own, because its whole memory is looked through. The canary is put together at run time, so that
  // the program's own text does not hold it; one that is kept on purpose shows that the search would find it.
  const program = `
    import { getHeapSnapshot } from 'node:v8';
    import { readAgent } from ${here('agent.ts')};
    import { detectBot } from ${here('bots.ts')};
    const canary = (n) => ['Canary', 'Agent', n].join('');
    const agent = (n) => 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0 ' + canary(n) + '/1.0';
    function request(n) {
      const userAgent = Buffer.from(agent(n)).latin1Slice();
      return [readAgent(userAgent).browser, detectBot({ userAgent, headers: { host: 'x', accept: '*/*' } })?.rule];
    }
    const seen = new Set();
    for (let n = 100; n < 200; n++) seen.add(request(n).join());
    // V8 keeps the subject of the last regular expression that matched.
    for (let n = 0; n < 10; n++) request('Z');
    /nothing/.exec('nothing');
    const kept = Buffer.from(agent('Kept')).latin1Slice();
    globalThis.gc();
    let snapshot = '';
    for await (const part of getHeapSnapshot()) snapshot += part;
    const found = new Set(snapshot.match(/CanaryAgent\\w+/g));
    console.log(JSON.stringify({ seen: [...seen], found: [...found], kept: kept.length }));
  `;
  const answer = execFileSync(
    process.execPath,
    ['--expose-gc', '--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program],
    { encoding: 'utf8', maxBuffer: 1024 * 1024 },
  );
  expect(JSON.parse(answer)).toEqual({ seen: ['Firefox,'], found: ['CanaryAgentKept'], kept: expect.any(Number) });
}, 60_000);
