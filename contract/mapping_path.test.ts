import { describe, expect, it } from 'vitest';
import { parsePath, parseTemplate } from './mapping_path.ts';

const name = (text: string) => ({ kind: 'name', name: text });

describe('a path', () => {
  it.each<[string, unknown]>([
    ['a', { root: 'record', steps: [name('a')] }],
    ['a.b', { root: 'record', steps: [name('a'), name('b')] }],
    ['a.b[0].c', { root: 'record', steps: [name('a'), name('b'), { kind: 'at', at: 0 }, name('c')] }],
    ['a[*].b', { root: 'record', steps: [name('a'), { kind: 'each' }, name('b')] }],
    ['[*]', { root: 'record', steps: [{ kind: 'each' }] }],
    ['["a.b"]', { root: 'record', steps: [name('a.b')] }],
    ["a['b c'].d", { root: 'record', steps: [name('a'), name('b c'), name('d')] }],
    ['Umsatz €', { root: 'record', steps: [name('Umsatz €')] }],
    ['_links.utm-source', { root: 'record', steps: [name('_links'), name('utm-source')] }],
    ['$', { root: 'record', steps: [] }],
    ['$.a', { root: 'record', steps: [name('a')] }],
    ['$query.cid', { root: 'query', steps: [name('cid')] }],
    ['$headers["x-shopify-topic"]', { root: 'headers', steps: [name('x-shopify-topic')] }],
    ['$body.sentAt', { root: 'body', steps: [name('sentAt')] }],
    ['$received_at', { root: 'received_at', steps: [] }],
    [
      'meta_data[key="_gclid"].value',
      { root: 'record', steps: [name('meta_data'), { kind: 'where', name: 'key', equals: '_gclid' }, name('value')] },
    ],
  ])('%s', (text, path) => {
    expect(parsePath(text)).toEqual(path);
  });
  it.each(['', '.', '.a', 'a.', 'a..b', 'a[', 'a[]', 'a[-1]', 'a[x]', 'a[1', 'a]', '$x.a', '$querya', 'a b."c"'])(
    'is none: %j',
    (text) => {
      expect(parsePath(text)).toBeUndefined();
    },
  );
  it.each(['a[?(@.b==1)]', 'a[(1+1)]', '..a', 'a[0:2]', 'a.$b', 'a["b"', 'a[99999]', 'a[9999]', 'a[\'b"]'])(
    'has no more of JSONPath than that: %j',
    (text) => {
      expect(parsePath(text)).toBeUndefined();
    },
  );
  it.each(['__proto__', 'a.__proto__.b', 'constructor', 'a["constructor"]', "a['prototype']", 'a[__proto__="x"]'])(
    'reaches no prototype: %s',
    (text) => {
      expect(parsePath(text)).toBeUndefined();
    },
  );
  it('has 256 characters, 16 steps and 3 lists at most', () => {
    expect(parsePath('a'.repeat(256))).toBeDefined();
    expect(parsePath('a'.repeat(257))).toBeUndefined();
    expect(parsePath(Array.from({ length: 16 }, () => 'a').join('.'))).toBeDefined();
    expect(parsePath(Array.from({ length: 17 }, () => 'a').join('.'))).toBeUndefined();
    expect(parsePath('a[*].b[*].c[*]')).toBeDefined();
    expect(parsePath('a[*].b[*].c[*].d[*]')).toBeUndefined();
  });
});

describe('a template', () => {
  it.each<[string, unknown]>([
    ['{{first}} {{last}}', [parsePath('first'), ' ', parsePath('last')]],
    ['{{ a.b }}-x', [parsePath('a.b'), '-x']],
    ['plain', ['plain']],
    ['{one}', ['{one}']],
    ['', []],
  ])('%j', (text, parts) => {
    expect(parseTemplate(text)).toEqual(parts);
  });
  it.each(['{{', '{{a', 'a}}', '{{a..b}}', '{{}}', '{{__proto__}}', '{{a}} {{b'])('is none: %j', (text) => {
    expect(parseTemplate(text)).toBeUndefined();
  });
});
