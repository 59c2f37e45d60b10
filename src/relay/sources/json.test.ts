import { describe, expect, it } from 'vitest';
import { readJson } from './json.ts';

const dataOf = (text: string) => {
  const read = readJson(text);
  return 'data' in read ? read.data : read.unread.reason;
};

describe('JSON is read', () => {
  it.each<[string, unknown]>([
    ['{}', {}],
    ['[]', []],
    [' \t\r\n[1, 2]\n', [1, 2]],
    ['\ufeff{"a":1}', { a: 1 }],
    ['{"a":{"b":[true,false,null,"x"]}}', { a: { b: [true, false, null, 'x'] } }],
    ['"\\u00e9\\n\\"\\\\"', 'é\n"\\'],
    ['{"a":1,"a":2}', { a: 2 }],
    ['"\\ud800"', '\ud800'],
    ['"\\u0000"', '\u0000'],
  ])('%s', (text, data) => {
    expect(dataOf(text)).toEqual(data);
  });

  it.each<[string, unknown]>([
    ['12.5', 12.5],
    ['12.50', '12.50'],
    ['0.1', 0.1],
    ['9007199254740991', 9007199254740991],
    ['9007199254740993', '9007199254740993'],
    ['1e3', '1e3'],
    ['-0', '-0'],
    ['0.1000000000000000055511151231257827', '0.1000000000000000055511151231257827'],
    ['1e400', '1e400'],
  ])('a number is a number only where nothing is lost: %s', (text, data) => {
    expect(dataOf(text)).toBe(data);
  });

  it.each([
    '',
    ' ',
    '{',
    '[1,]',
    '{"a":1,}',
    '{a:1}',
    "{'a':1}",
    '01',
    '1.',
    '.5',
    '+1',
    'NaN',
    'tru',
    '[1 2]',
    '{"a" 1}',
  ])('and is none: %j', (text) => {
    expect(dataOf(text)).toBe('not_json');
  });
  it.each(['"a', '"\n"', '"\\x"', '"\\u12"', '{"a":1} x', '[1]]', '<html>', 'a=1&b=2', '{}{}', '"\\'])(
    'and is none: %j',
    (text) => {
      expect(dataOf(text)).toBe('not_json');
    },
  );
  it('says where it ended, and not at what', () => {
    expect(readJson('{"email":"ann@example.com",}')).toEqual({ unread: { reason: 'not_json', at: 27 } });
  });
});

describe('limits', () => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  it('32 levels are read, 33 are too deep, and a million is no crash', () => {
    expect(dataOf(nested(32))).toBeTypeOf('object');
    expect(dataOf(nested(33))).toBe('too_deep');
    expect(dataOf('['.repeat(1_000_000))).toBe('too_deep');
    expect(dataOf('{"a":'.repeat(200_000))).toBe('too_deep');
  });
  it('9,999 items of a list or an object are read, 10,000 are not', () => {
    const list = (count: number) => `[${Array.from({ length: count }, () => '0').join()}]`;
    const names = (count: number) => `{${Array.from({ length: count }, (_, i) => `"${i}":0`).join()}}`;
    expect(dataOf(list(9_999))).toHaveLength(9_999);
    expect(dataOf(list(10_000))).toBe('too_many_items');
    expect(dataOf(names(9_999))).toBeTypeOf('object');
    expect(dataOf(names(10_000))).toBe('too_many_items');
    expect(dataOf(`{${'"a":0,'.repeat(10_000)}"a":0}`)).toBe('too_many_items');
  });
});

it('a name of a prototype is a name like any other', () => {
  const read = dataOf('{"__proto__":{"polluted":1},"constructor":2,"hasOwnProperty":3}') as Record<string, unknown>;
  expect(Object.getPrototypeOf(read)).toBe(null);
  expect(Object.keys(read)).toEqual(['__proto__', 'constructor', 'hasOwnProperty']);
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
});

describe('property: it reads what JSON.parse reads', () => {
  /** A small generator with a seed, so that a failure can be looked at again. */
  const rollOf = (seed: number) => (below: number) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const textOf = (roll: (below: number) => number, depth: number): unknown => {
    const kind = roll(depth > 0 ? 8 : 5);
    if (kind === 0) return null;
    if (kind === 1) return roll(2) === 0;
    if (kind === 2) return roll(2_000_000) - 1_000_000;
    if (kind === 3) return (roll(2_000_000) - 1_000_000) / 1024;
    if (kind === 4) return String.fromCharCode(...Array.from({ length: roll(8) }, () => roll(0x300)));
    if (kind < 6) return Array.from({ length: roll(5) }, () => textOf(roll, depth - 1));
    return Object.fromEntries(Array.from({ length: roll(5) }, (_, i) => [`k${i}"\\\n`, textOf(roll, depth - 1)]));
  };
  it('of what JSON.stringify writes', () => {
    for (let seed = 1; seed <= 500; seed++) {
      const written = JSON.stringify(textOf(rollOf(seed), 5), null, seed % 3);
      expect(dataOf(written), `seed ${seed}`).toEqual(JSON.parse(written));
    }
  });
  it('and refuses what it refuses, where a character of it is missing, doubled or another', () => {
    for (let seed = 1; seed <= 4_000; seed++) {
      const roll = rollOf(seed);
      const written = JSON.stringify(textOf(roll, 4));
      const at = roll(written.length);
      const other = ['', written.charAt(at).repeat(2), '"', ',', '}', '0', '\\', 'e', '.', '-'][roll(10)] as string;
      const hurt = written.slice(0, at) + other + written.slice(at + 1);
      let wanted: unknown = 'not_json';
      try {
        wanted = JSON.parse(hurt, (_, value, context?: { source?: string }) =>
          typeof value === 'number' && String(value) !== context?.source ? context?.source : value,
        );
      } catch {}
      expect(dataOf(hurt), `seed ${seed}: ${hurt}`).toEqual(wanted);
    }
  });
});
