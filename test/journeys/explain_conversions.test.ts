import { existsSync } from 'node:fs';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { openCommandLine } from './cli.ts';

/** The two commands as processes of their own: lines in, as many lines out, in the same order, and no store is made. */
const cli = openCommandLine();
vi.setConfig({ testTimeout: 120_000 });
afterAll(() => cli.close());

const settings = { dataset_id: '1234567890' };
const conversion = {
  event_id: 'e-1',
  event_name: 'Purchase',
  occurred_at: '2026-11-30T09:15:00+01:00',
  action_source: 'phone_call',
  user: { email: 'alexz@example.com' },
};
const now = '2026-11-30T12:00:00Z';
const run = async (args: string[], lines: unknown[], env: Record<string, string> = {}) => {
  const input = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
  const { code, out, err } = await cli.run(['explain', ...args], { input, env });
  const said = out === '' ? [] : out.trimEnd().split('\n');
  return { code, err, said: said.map((line) => JSON.parse(line) as Record<string, unknown>) };
};

describe('explain conversions', () => {
  it('answers each line in order: a request, or why there is none and which field is to blame', async () => {
    const line = (change: object, more: object = {}) => ({
      now,
      settings,
      conversion: { ...conversion, ...change },
      ...more,
    });
    const { code, err, said } = await run(
      ['conversions', '--destination', 'meta-capi'],
      [
        line({}),
        'not json',
        '',
        line({ value: '12,50', currency: 'EUR' }),
        line({ currency: 'EURO' }),
        line({ occurred_at: '2026-11-30T09:15:00' }),
        line({ occurred_at: '1970-01-01T00:00:00Z' }),
        line({}, { now: Date.UTC(2026, 10, 29) }),
        line({}, { settings: {} }),
        '[]',
        'null',
        { now, settings },
        line({ user: { email: 'x'.repeat(2_000_000) } }),
        '{"now":"2026-11-30T12:00:00Z","settings":{"dataset_id":"1"},"conversion":{"__proto__":{"event_name":"a"}}}',
      ],
    );
    expect([code, err]).toEqual([0, '']);
    const event = {
      event_name: 'Purchase',
      event_time: 1796026500,
      event_id: 'e-1',
      action_source: 'phone_call',
      user_data: { em: ['509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a'] },
    };
    const no = (reason: string, field: string) => ({ rejected: { reason, field } });
    expect(said).toEqual([
      {
        request: {
          method: 'POST',
          url: 'https://graph.facebook.com/v25.0/1234567890/events',
          headers: { 'content-type': 'application/json' },
          body: { data: [event] },
        },
      },
      no('invalid', 'line'),
      no('invalid', 'value'),
      no('unknown_currency', 'currency'),
      no('no_offset', 'occurred_at'),
      no('invalid', 'occurred_at'),
      no('in_the_future', 'occurred_at'),
      no('invalid', 'settings.dataset_id'),
      no('invalid', 'line'),
      no('invalid', 'line'),
      no('missing', 'conversion'),
      no('invalid', 'user.email'),
      no('missing', 'event_name'),
    ]);
    expect(existsSync(cli.dataDir), 'nothing of this made a data directory').toBe(false);
  });

  it('is of the version that is set, where one is', async () => {
    const set = { FAIRLEAD_META_VERSION: 'v24.0' };
    const { said } = await run(['conversions', '--destination', 'meta-capi'], [{ now, settings, conversion }], set);
    expect(said).toMatchObject([{ request: { url: 'https://graph.facebook.com/v24.0/1234567890/events' } }]);
  });

  it('refuses a destination that is none with exit code 2, and names those that are', async () => {
    for (const args of [['conversions'], ['errors', '--destination', 'meta'], ['conversions', '--to', 'meta-capi']]) {
      const { code, err, said } = await run(args, []);
      expect([code, said]).toEqual([2, []]);
      expect(err).toMatch(/Usage: fairlead explain|There is no destination "meta": .*google-data-manager/);
    }
  });
});

describe('explain errors', () => {
  it('answers each line in order with class, reason and pause', async () => {
    const { code, err, said } = await run(
      ['errors', '--destination', 'google-data-manager'],
      [
        { status: 0 },
        { status: 200, headers: {}, body: { requestId: 'abc' } },
        { status: 503, headers: { 'Retry-After': '7' }, body: '<html>' },
        'not json',
        { status: 200, body: { requestStatusPerDestination: [{ requestStatus: 'SUCCESS' }] } },
      ],
    );
    expect([code, err]).toEqual([0, '']);
    expect(said).toEqual([
      { class: 'retry', reason: 'no_answer', retry_after_ms: null },
      { class: 'accepted', reason: 'ingested', retry_after_ms: null },
      { class: 'retry', reason: 'html', retry_after_ms: 7_000 },
      { error: 'the line is no JSON' },
      { class: 'accepted', reason: 'SUCCESS', retry_after_ms: null },
    ]);
  });
});
