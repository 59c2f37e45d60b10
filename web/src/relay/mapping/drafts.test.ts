import { expect, it } from 'vitest';
import type { Mapping } from '../../../../contract/mapping.ts';
import { type Draft, draftLimits, placeOf, readDrafts, withDraft } from './drafts.ts';

const now = Date.parse('2026-11-30T12:00:00Z');
const draft = (at: number, mapping: Mapping = { fields: { value: 'total' } }): Draft => ({ after: 3, mapping, at });

it('a draft is found again under its author and its source, and nobody else finds it', () => {
  const text = withDraft({}, placeOf(7, 12), draft(now));
  expect(readDrafts(text as string, now)).toEqual({ '7/12': draft(now) });
  expect(readDrafts(text as string, now)[placeOf(8, 12)]).toBeUndefined();
  expect(withDraft(readDrafts(text as string, now), placeOf(7, 12), undefined)).toBeNull();
});

it('what is older than 30 days, was cut or is of another kind is as if it were not there', () => {
  const text = JSON.stringify({
    a: draft(now - draftLimits.keptMs - 1),
    b: draft(now),
    c: { after: 1, at: now },
    d: 4,
  });
  expect(Object.keys(readDrafts(text, now))).toEqual(['b']);
  expect(readDrafts(text.slice(0, -3), now)).toEqual({});
  expect(readDrafts('null', now)).toEqual({});
  expect(readDrafts(null, now)).toEqual({});
});

it('the oldest go where there are too many or they are too large; one that is too large itself is not kept', () => {
  const many = Object.fromEntries(Array.from({ length: draftLimits.count }, (_, at) => [`1/${at}`, draft(now - at)]));
  const kept = readDrafts(withDraft(many, '1/new', draft(now)) as string, now);
  expect(Object.keys(kept)).toHaveLength(draftLimits.count);
  expect(kept[`1/${draftLimits.count - 1}`]).toBeUndefined();
  const wide = (share: number): Mapping => ({
    fields: { value: { default: 'x'.repeat(draftLimits.charsMax * share) } },
  });
  const two = readDrafts(withDraft({ '1/1': draft(now, wide(0.6)) }, '1/2', draft(now, wide(0.6))) as string, now);
  expect(Object.keys(two)).toEqual(['1/2']);
  expect(withDraft({}, '1/1', draft(now, wide(1.1)))).toBeUndefined();
});
