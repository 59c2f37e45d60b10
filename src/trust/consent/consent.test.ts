import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type regions, signalledPurposes } from '../../../contract/consent.ts';
import { readGcd, readGcs } from './consent_mode.ts';
import { readGpp } from './gpp.ts';
import { regionOf } from './region.ts';
import { saidOf } from './said.ts';
import { readSnapshot, snapshotOf, snapshotText } from './snapshot.ts';
import { readTcString } from './tc_string.ts';

/**
 * Written by the encoders of the IAB Tech Lab (`@iabtechlabtcf/core` 1.5.21 and `@iabgpp/cmpapi` 3.2.0), with what their
 * own decoders read of them: a second reading of the specification beside ours.
 */
const vectors = JSON.parse(readFileSync(new URL('./vectors.json', import.meta.url), 'utf8')) as {
  tc: { text: string; purposes: number[]; vendors: number[]; shown: number[] }[];
  gpp: { text: string; sections: number[]; optedOut: boolean; gpc: boolean }[];
};
const silent = { gpc: false, dnt: false };
const probes = [1, 2, 10, 52, 511, 755, 890, 1499];
/** Of the vectors: every purpose consented to that stands behind the four signals. */
const yes = vectors.tc.find(({ purposes }) => [1, 3, 4, 7, 8].every((one) => purposes.includes(one)))?.text as string;

function textOf(consent: unknown, region: (typeof regions)[number], headers = silent): string {
  return snapshotText(snapshotOf(saidOf(consent), headers, region));
}

describe('the corpus', () => {
  it('TC strings of v2.3 say what the encoders of the IAB put into them (CON-05)', () => {
    expect(vectors.tc.length).toBeGreaterThan(30);
    for (const { text, purposes, vendors, shown } of vectors.tc) {
      const read = readTcString(text);
      expect(read, text).toBeDefined();
      expect(
        Array.from({ length: 30 }, (_, at) => at).filter((one) => read?.hasPurpose(one)),
        text,
      ).toEqual(purposes);
      expect(
        probes.filter((one) => read?.hasVendor(one)),
        text,
      ).toEqual(vendors);
      expect(
        probes.filter((one) => read?.wasShown(one)),
        text,
      ).toEqual(shown);
      // What v2.2 wrote: the same string without the segment of vendors that were shown.
      const withoutShown = text.split('.').filter((segment) => !/^[I-L]/.test(segment));
      expect(readTcString(withoutShown.join('.')), text).toBeUndefined();
    }
  });

  it('GPP strings of each section of the United States say who opted out, and whether under GPC (CON-05)', () => {
    expect(new Set(vectors.gpp.flatMap(({ sections }) => sections)).size).toBe(22);
    for (const { text, sections, optedOut, gpc } of vectors.gpp) {
      const read = readGpp(text);
      expect(read, text).toMatchObject({ sections, hasOptedOut: optedOut, gpc, isPartlyUnreadable: false });
    }
    // As published, the newest sections have a header before the core; their encoder leaves it out.
    const maryland = vectors.gpp.find(({ sections, optedOut }) => sections[0] === 24 && optedOut)?.text as string;
    const withHeader = readGpp(maryland.replace('~', '~YBABg.'));
    expect(withHeader).toMatchObject({ sections: [24], hasOptedOut: true, isPartlyUnreadable: false });
    expect(readGpp(maryland.replace(/~.*/, '~YBABg'))).toMatchObject({ isPartlyUnreadable: true });
    // The section of the EU is a TC string, and as invalid without the vendors that were shown.
    expect(readGpp(`DBABMA~${yes}`)?.eu).toMatchObject({ policyVersion: 5 });
    expect(readGpp('DBABMA~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA')?.eu).toBe('unreadable');
    // The header and the parts disagree.
    expect(readGpp('DBABMA')).toBeUndefined();
    expect(readGpp(`DBABMA~${yes}~1YNN`)).toBeUndefined();
  });

  it.each([
    ['G111', ['granted', 'granted', 'not_asked', 'not_asked']],
    ['G100', ['denied', 'denied', 'not_asked', 'not_asked']],
    ['G110', ['denied', 'granted', 'not_asked', 'not_asked']],
    ['G1-1', ['granted', 'not_asked', 'not_asked', 'not_asked']],
    ['G211', undefined],
    ['G1111', undefined],
    ['', undefined],
  ])('gcs %s (CON-05)', (text, states) => {
    const read = readGcs(text);
    expect(read && signalledPurposes.map((one) => read[one])).toEqual(states);
  });

  it.each([
    ['11p1p1p1p5', ['denied', 'denied', 'denied', 'denied']],
    ['11t1r1n1v5', ['granted', 'granted', 'granted', 'granted']],
    ['11q1m1u1p5', ['denied', 'denied', 'denied', 'denied']],
    ['13l3l3l2l1l1', ['not_asked', 'not_asked', 'not_asked', 'not_asked']],
    ['13p3t3t3r5l1', ['granted', 'denied', 'granted', 'granted']],
    ['11z1p1p1p5', undefined],
    ['11p1p1p5', undefined],
    ['x'.repeat(10_000), undefined],
  ])('gcd %s (CON-05)', (text, states) => {
    const read = readGcd(text);
    expect(read && signalledPurposes.map((one) => read[one])).toEqual(states);
  });
});

describe('one snapshot', () => {
  const granted = Object.fromEntries(signalledPurposes.map((one) => [one, 'granted']));
  const rows: [string, unknown, (typeof regions)[number], { gpc: boolean; dnt: boolean }, string][] = [
    ['silence is a no where a yes is asked for first', undefined, 'eea', silent, 'dddd rrrr eea'],
    ['also where the place is not known', undefined, 'unknown', silent, 'dddd rrrr unknown'],
    ['and stays silence elsewhere', undefined, 'us', silent, 'nnnn ---- us'],
    ['a yes is a yes', granted, 'uk', silent, 'gggg mmmm uk m'],
    ['for the purposes that it names', { ad_storage: 'granted' }, 'ch', silent, 'dgdd rmrr ch m'],
    ['a TC string says yes', { tc: yes }, 'eea', silent, 'gggg tttt eea t'],
    ['one without vendors that were shown is none', { tc: yes.split('.')[0] }, 'eea', silent, 'dddd tttt eea T'],
    ['and takes a yes with it', { ...granted, tc: 'CPXx' }, 'eea', silent, 'dddd tttt eea Tm'],
    ['but not where nothing has to be asked', { ...granted, tc: 'CPXx' }, 'other', silent, 'gggg mmmm other Tm'],
    ['no beats yes', { tc: yes, ad_user_data: 'denied' }, 'eea', silent, 'ggdg ttmt eea tm'],
    ['GPC beats all', { tc: yes }, 'eea', { gpc: true, dnt: false }, 'dddd ssss eea ts'],
    ['also said by the page', { ...granted, gpc: true }, 'us', silent, 'dddd ssss us ms'],
    ['so does DNT', granted, 'sg', { gpc: false, dnt: true }, 'dddd xxxx sg mx'],
    ['an opt-out of the United States', { gpp: 'DBABLA~CVQaAAAAAACA.QA' }, 'us', silent, 'nndd --pp us p'],
    ['not to have opted out is no yes', { gpp: 'DBABLA~CVQqAAAAAACA.QA' }, 'us', silent, 'nnnn ---- us p'],
    ['the older text of four signs', { gpp: 'DBABTA~1YYN' }, 'us', silent, 'nndd --pp us p'],
    ['gcs and gcd agree on the stricter', { gcs: 'G111', gcd: '11p1t1t1t5' }, 'eea', silent, 'gdgg mmmm eea m'],
    ['a word that is no answer', { ad_storage: 'maybe' }, 'eea', silent, 'dddd mmmm eea M'],
    ['something that is no object', 'granted', 'eea', silent, 'dddd mmmm eea M'],
  ];
  it.each(rows.map((row) => [row[0], row] as const))('%s (CON-05)', (_, [, consent, region, headers, text]) => {
    const said = textOf(consent, region, headers);
    expect(said).toBe(text);
    expect(snapshotText(readSnapshot(said) as NonNullable<ReturnType<typeof readSnapshot>>)).toBe(said);
  });

  it('regions are those of the ledger; a country nobody knows counts as one that asks first', () => {
    expect(['DE', 'IS', 'RE', 'GB', 'JE', 'CH', 'US', 'PR', 'SG', 'BR', '', 'X', '??'].map(regionOf)).toEqual(
      'eea eea eea uk uk ch us us sg other unknown unknown unknown'.split(' '),
    );
    expect(readSnapshot('')).toBeUndefined();
    expect(readSnapshot('gggg tttt mars')).toBeUndefined();
  });
});

describe('what strangers send', () => {
  it('never throws, never grants, and takes no longer than its length allows (CON-05)', () => {
    const base = [...vectors.tc.map(({ text }) => text), ...vectors.gpp.map(({ text }) => text)];
    let seed = 1;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
      return (seed >> 12) % below;
    };
    for (let round = 0; round < 5_000; round++) {
      const text = base[random(base.length)] as string;
      const at = random(text.length);
      const signs = ['', 'A', '_', '~', '.', '\u0000', 'é', '=', text];
      const broken = text.slice(0, at) + signs[random(signs.length)] + text.slice(at + random(3));
      readTcString(broken);
      readGpp(broken);
      const cut = text.slice(0, random(text.length));
      readGpp(cut);
      if (!cut.includes('.')) expect(readTcString(cut)).toBeUndefined();
    }
    // 2 kB in which every vendor is consented to three hundred times over: a decoder that lists them needs a second for it.
    const many = manyRanges(300);
    const started = performance.now();
    expect(readTcString(many)?.hasVendor(755)).toBe(true);
    expect(performance.now() - started).toBeLessThan(50);
    expect(readTcString(manyRanges(2_000))).toBeUndefined();
  });

  it.each([
    ['a long TC string', { tc: 'C'.repeat(100_000) }],
    ['a long GPP string', { gpp: 'D'.repeat(100_000) }],
    ['many sections', { gpp: `DBABMA${'~1YNN'.repeat(3_000)}` }],
    ['a line break', { tc: `${yes}\n` }],
    ['a number', { tc: 7, gpp: [], gcs: {}, gcd: null }],
    ['a list', [yes]],
    ['foreign names', JSON.parse('{"__proto__": {"ad_storage": "granted"}, "constructor": "granted", "tc": "x"}')],
    ['many members', Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`m${at}`, at]).concat([['tc', 1]]))],
  ])('%s is unreadable, and a no in a consent region (CON-05)', (_, consent) => {
    const snapshot = snapshotOf(saidOf(consent), silent, 'eea');
    expect(signalledPurposes.map((one) => snapshot.answers[one].state)).toEqual(Array(4).fill('denied'));
    expect(Object.values(snapshot.signals)).toContain('unreadable');
  });
});

/** A TC string whose list of vendors is the same whole range again and again. */
function manyRanges(count: number): string {
  const signs = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const bits = (value: number, width: number) => value.toString(2).padStart(width, '0');
  let core = `${bits(2, 6)}${bits(0, 72 + 12 + 12 + 6 + 12 + 12)}${bits(5, 6)}1${bits(0, 1 + 12 + 24 + 24 + 1 + 12)}`;
  core += `${bits(65_535, 16)}1${bits(count, 12)}${`1${bits(1, 16)}${bits(65_535, 16)}`.repeat(count)}`;
  core += `${bits(0, 16)}0${bits(0, 12)}`;
  core = core.padEnd(Math.ceil(core.length / 6) * 6, '0');
  let text = '';
  for (let at = 0; at < core.length; at += 6) text += signs[Number.parseInt(core.slice(at, at + 6), 2)];
  return `${text}.IAAA`;
}
