import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { filterOperators } from '../../../contract/query.ts';
import { hostileTexts } from '../../platform/warehouse/agreement.ts';
import type { Warehouse } from '../../platform/warehouse/index.ts';
import { dimensionFacts } from '../facts.ts';
import { eventAt, openTestWarehouse, storeEvents } from './rig.ts';
import { type QueryOutcome, runQuery } from './run.ts';

/**
 * Text of a question is a value and never a statement. A read-only connection still lets `file()` and `INTO OUTFILE`
 * through, so what stands between a question and the disk is that no text of it becomes SQL: strings that would read a
 * file, write one or call a server go through every field, and neither happens.
 */
const now = Date.UTC(2026, 9, 28, 12);
const secret = 'the-secret-of-the-file';
let folder: string;
let calls = 0;
let server: Server;
let warehouse: Warehouse;
let close: () => Promise<void>;
let texts: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fairlead-hostile-'));
  writeFileSync(join(folder, 'secret'), secret);
  server = createServer((_request, response) => {
    calls++;
    response.end('1');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  ({ warehouse, close } = await openTestWarehouse());
  const at = Date.UTC(2026, 9, 26, 10);
  await storeEvents(warehouse, [
    eventAt(at, { site_id: 1, props: { plan: 'pro' } }),
    eventAt(at, { site_id: 2, visitor_id: '2', visit_id: '2', pathname: '/of-another-site', source: 'Other' }),
  ]);
  const read = `file('${join(folder, 'secret')}', 'RawBLOB')`;
  texts = [
    ...hostileTexts.filter((text) => text.length < 1_000),
    `') OR 1 = 1 --`,
    `') UNION ALL SELECT ${read} --`,
    `' || (SELECT ${read}) || '`,
    `\\' || (SELECT ${read}) || \\'`,
    `x' INTO OUTFILE '${join(folder, 'written')}' --`,
    `'] , (SELECT * FROM url('http://127.0.0.1:${port}/', 'CSV', 'a String')) --`,
    `') OR site_id = 2 --`,
    `'); SELECT * FROM events; --`,
    `') SETTINGS readonly = 0 --`,
  ];
});
afterAll(async () => {
  await close();
  server.close();
  await rm(folder, { recursive: true, force: true });
});

function ask(request: object, goals: Parameters<typeof runQuery>[0]['goals'] = [], domain = 'example.com') {
  return runQuery({
    site: { id: 1, domain, timezone: 'UTC', currency: 'EUR' },
    goals,
    warehouse,
    now,
    request: { site_id: 'example.com', metrics: ['visitors'], date_range: ['2026-10-26', '2026-10-26'], ...request },
  });
}

/** An answer about the one event of the own site, or a refusal with a reason; nothing of the file or the other site. */
function isHarmless(outcome: QueryOutcome, text: string) {
  const said = JSON.stringify('problem' in outcome ? outcome.problem : outcome.results);
  expect(said.replaceAll(JSON.stringify(text).slice(1, -1), ''), text).not.toMatch(
    new RegExp(`${secret}|of-another-site|Other`),
  );
  if ('problem' in outcome) expect(outcome.problem.code, text).not.toBe('internal');
  else for (const row of outcome.results) expect(Number(row.metrics[0]), text).toBeLessThanOrEqual(1);
}

const fields: Record<string, (text: string) => Promise<QueryOutcome>> = {
  'a metric': (text) => ask({ metrics: [text] }),
  'a dimension': (text) => ask({ dimensions: [text] }),
  'a property that is listed': (text) => ask({ dimensions: [`event:props:${text}`] }),
  'a property that is filtered': (text) => ask({ filters: [['is', `event:props:${text}`, ['pro']]] }),
  'a value of a property': (text) => ask({ filters: [['contains', 'event:props:plan', [text]]] }),
  'an operator': (text) => ask({ filters: [[text, 'event:page', ['/']]] }),
  'a subject': (text) => ask({ filters: [['is', text, ['/']]] }),
  'a date': (text) => ask({ date_range: [text, text] }),
  'a named range': (text) => ask({ date_range: text }),
  'a range to compare with': (text) => ask({ include: { comparisons: { mode: 'custom', date_range: [text, text] } } }),
  'an order': (text) => ask({ order_by: [[text, 'desc']] }),
  'a member of include': (text) => ask({ include: { [text]: true } }),
  'a modifier': (text) => ask({ filters: [['is', 'event:page', ['/'], { [text]: true }]] }),
  'the name of a goal in a filter': (text) => ask({ filters: [['is', 'event:goal', [text]]] }),
  'the name of a goal of the site': (text) =>
    ask({ dimensions: ['event:goal'] }, [{ name: text, kind: 'event', match: 'pageview', currency: null }]),
  'the event of a goal': (text) =>
    ask({ dimensions: ['event:goal'] }, [{ name: 'Goal', kind: 'event', match: text, currency: null }]),
  'the pattern of a goal': (text) =>
    ask({ dimensions: ['event:goal'] }, [{ name: 'Goal', kind: 'page', match: `${text}*`, currency: null }]),
  'the currency of a goal': (text) =>
    ask({ metrics: ['visitors', 'total_revenue'], dimensions: ['event:goal'] }, [
      { name: 'Goal', kind: 'event', match: 'pageview', currency: text },
    ]),
  'the domain of the site': (text) => ask({}, [], text),
};

describe('no text of a question becomes a statement', () => {
  test.each(Object.keys(fields))('%s', async (field) => {
    for (const text of texts) {
      // A currency is checked where goals are made; Intl refuses others with an error of its own.
      const outcome = await fields[field]?.(text).catch((error: unknown) => {
        if (error instanceof RangeError) return { problem: { code: 'invalid_field' as const, message: 'refused' } };
        throw error;
      });
      if (outcome !== undefined) isHarmless(outcome, text);
    }
  });

  test.each(filterOperators.map((operator, at) => ({ operator, at })))(
    'a value of $operator',
    async ({ operator, at }) => {
      const subjects = Object.keys(dimensionFacts);
      for (const [number, text] of texts.entries()) {
        const subject = subjects[(3 * at + number) % subjects.length];
        isHarmless(await ask({ filters: [[operator, subject, [text]]] }), text);
      }
    },
  );

  test.each(['0000-01-01', '0001-01-01', '0099-12-31', '1969-12-31', '2100-01-01', '9999-12-31'])(
    'a day of the year %s is refused with a sentence',
    async (day) => {
      for (const text of [day, `${day}T10:00:00`])
        for (const range of [
          [day < '1970' ? text : '2026-01-01', day < '1970' ? '2026-01-01' : text],
          [text, text],
        ]) {
          const site = { id: 1, domain: 'example.com', timezone: 'Europe/Berlin', currency: 'EUR' };
          const request = { site_id: 'example.com', metrics: ['visitors'], date_range: range };
          expect(await runQuery({ site, goals: [], warehouse, now, request }), String(range)).toMatchObject({
            problem: { code: 'invalid_date_range' },
          });
        }
    },
  );

  test('no file was read or written, and nobody was called', () => {
    expect(readdirSync(folder)).toEqual(['secret']);
    expect(existsSync('written')).toBe(false);
    expect(calls).toBe(0);
  });
});
