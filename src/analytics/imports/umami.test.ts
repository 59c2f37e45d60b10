import { expect, it } from 'vitest';
import type { SiteRecord } from '../sites.ts';
import { readUmamiEvents } from './umami.ts';

async function* table(text: string) {
  yield Buffer.from(text);
}

it.each([
  ['edge-chromium', 'Microsoft Edge'],
  ['chrome', 'Chrome'],
  ['Nobody Browser', 'Nobody Browser'],
  // What every object has by birth is the name of a browser like any other.
  ['constructor', 'constructor'],
  ['__proto__', '__proto__'],
])('a browser that Umami calls %s is %s', async (word, browser) => {
  const events = table(`session_id,url_path,created_at,browser\ns1,/,2026-01-02 03:04:05,${word}\n`);
  const site = { domain: 'shop.example', foreignIds: [] } as unknown as SiteRecord;
  const rows = [];
  for await (const row of readUmamiEvents({ events }, site)) rows.push(row);
  expect(rows).toHaveLength(1);
  expect(rows[0]).toMatchObject({ known: { agent: { browser } } });
});
