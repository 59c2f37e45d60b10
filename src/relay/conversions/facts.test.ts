import { expect, it } from 'vitest';
import { factsOf } from './facts.ts';

const least = { event_name: 'purchase', occurred_at: '2026-11-30T09:15:00+01:00' };
const macroNames = ['{gclid}', '%7Bgclid%7D', '{{gclid}}', '%gclid%', '[gclid]', 'Cj0-{gclid}'];

it.each<[string, string, object]>([
  ['what its address says', 'gclid=Cj0&utm_source=news', { click_ids: { gclid: 'Cj0' }, utm: { source: 'news' } }],
  ['no NUL, which PostgreSQL does not take', 'gclid=a%00b&utm_source=%00&fbclid=F', { click_ids: { fbclid: 'F' } }],
  ['of what a click id is in braces, the id', 'wbraid=Cj0&gclid={gclid}', { click_ids: { wbraid: 'Cj0' } }],
  ...macroNames.map((macro): [string, string, object] => [`no macro ${macro}`, `gclid=${macro}`, {}]),
  ['no macro of a campaign', 'utm_campaign={campaign}&utm_term=%24%7Bterm%7D', {}],
  ['a campaign in brackets, as people write it', 'utm_campaign=[Brand]', { utm: { campaign: '[Brand]' } }],
])('keeps of click ids and campaigns %s', (_what, query, kept) => {
  const { click_ids, utm } = factsOf({ ...least, page_url: `https://shop.example/thanks?${query}` });
  expect({ ...(click_ids && { click_ids }), ...(utm && { utm }) }).toEqual(kept);
  const asked = factsOf({ ...least, query });
  expect({ ...(asked.click_ids && { click_ids: asked.click_ids }), ...(asked.utm && { utm: asked.utm }) }).toEqual(
    kept,
  );
});

it('takes from the query what its address left as a macro', () => {
  const conversion = { ...least, page_url: 'https://shop.example/?gclid={gclid}', query: '?gclid=Cj0' };
  expect(factsOf(conversion).click_ids).toEqual({ gclid: 'Cj0' });
});
