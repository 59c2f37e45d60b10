import { expect, it } from 'vitest';
import { clicksIn, landedClicksLimits, openClickMemory } from './landed_clicks.ts';

it('reads click ids out of an address by the names of conversions, and nothing else', () => {
  const search =
    '?utm_source=x&GCLID=a%2Bb&gclid=second&ScCid=snap&gad_source=1&yclid=9&mail=a%40person.example&li_fat_id=in&fbclid=&fbp=fb.1.2.3';
  expect(clicksIn(search, 7)).toEqual({ ids: { gclid: 'a+b', sc_click_id: 'snap', li_fat_id: 'in' }, atMs: 7 });
  expect(clicksIn('?utm_source=x', 7)).toBeUndefined();
  expect(clicksIn('', 7)).toBeUndefined();
  // Too long for a click id: whoever sends that means something else.
  expect(clicksIn(`?gclid=${'x'.repeat(landedClicksLimits.valueCharsMax + 1)}`, 7)).toBeUndefined();
});

it('keeps so many visits and so many bytes, the oldest go first, and counts them', () => {
  const clicks = (value: string) => ({ ids: { gclid: value }, atMs: 0 });
  const few = openClickMemory({ visitsMax: 2, bytesMax: 1e6 });
  for (const slot of [1, 2, 3]) few.keep(slot, 1, clicks(`click ${slot}`));
  expect([1, 2, 3].map((slot) => few.of(slot)?.ids.gclid)).toEqual([undefined, 'click 2', 'click 3']);
  expect([few.count(), few.pushedOut()]).toEqual([2, 1]);
  const small = openClickMemory({ visitsMax: 1_000, bytesMax: 10_000 });
  for (let slot = 0; slot < 100; slot++) small.keep(slot, 1, clicks('x'.repeat(200)));
  expect(small.bytes()).toBeLessThanOrEqual(10_000);
  expect(small.count() + small.pushedOut()).toBe(100);
  expect(small.of(99)).toBeDefined();
});

it('forgets a visit, a site, and what a new click of a visit takes the place of', () => {
  const memory = openClickMemory();
  memory.keep(1, 1, { ids: { gclid: 'one', fbclid: 'two' }, atMs: 1 });
  memory.keep(1, 1, { ids: { msclkid: 'three' }, atMs: 2 });
  memory.keep(2, 2, { ids: { gclid: 'other' }, atMs: 3 });
  expect(memory.of(1)).toMatchObject({ ids: { msclkid: 'three' }, atMs: 2 });
  memory.forgetSites((siteId) => siteId === 2);
  expect(memory.of(2)).toBeUndefined();
  memory.forget(1);
  memory.forget(1);
  expect([memory.count(), memory.bytes()]).toEqual([0, 0]);
});
