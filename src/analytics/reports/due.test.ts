import { describe, expect, it } from 'vitest';
import { duesOf, nextDue } from './due.ts';

const at = (iso: string) => Date.parse(iso);
const iso = (ms: number | undefined) => new Date(ms ?? Number.NaN).toISOString();

describe('a report is due at seven in the morning of the site', () => {
  it.each([
    // Clocks go back on 25 October in Berlin, and forward on 28 March.
    ['Europe/Berlin', '2026-10-20T12:00:00Z', '2026-10-19T05:00:00.000Z'],
    ['Europe/Berlin', '2026-10-26T12:00:00Z', '2026-10-26T06:00:00.000Z'],
    ['Europe/Berlin', '2027-03-29T12:00:00Z', '2027-03-29T05:00:00.000Z'],
    // Seven o'clock stayed where it was when this zone gave summer time up; on 4 November 2018 midnight was left out.
    ['America/Sao_Paulo', '2018-10-30T12:00:00Z', '2018-10-29T10:00:00.000Z'],
    ['America/Sao_Paulo', '2018-11-06T12:00:00Z', '2018-11-05T09:00:00.000Z'],
    ['America/Sao_Paulo', '2026-11-24T12:00:00Z', '2026-11-23T10:00:00.000Z'],
    ['Asia/Kathmandu', '2026-11-24T12:00:00Z', '2026-11-23T01:15:00.000Z'],
    ['Pacific/Chatham', '2026-11-24T12:00:00Z', '2026-11-22T17:15:00.000Z'],
    ['no such zone', '2026-11-24T12:00:00Z', '2026-11-23T07:00:00.000Z'],
  ])('%s at %s: %s', (zone, now, due) => {
    expect(iso(duesOf('weekly', at(now), zone, 1)[0]?.at)).toBe(due);
  });

  it('not a moment before, and the week before stands until then', () => {
    const seven = at('2026-10-26T06:00:00Z');
    const [before] = duesOf('weekly', seven - 1, 'Europe/Berlin', 1);
    const [after] = duesOf('weekly', seven, 'Europe/Berlin', 1);
    expect([before?.range, after?.range]).toEqual([
      { from: '2026-10-12', to: '2026-10-18' },
      { from: '2026-10-19', to: '2026-10-25' },
    ]);
    expect(after?.before).toEqual({ from: '2026-10-12', to: '2026-10-18' });
    expect(iso(nextDue('weekly', seven - 1, 'Europe/Berlin'))).toBe('2026-10-26T06:00:00.000Z');
    expect(iso(nextDue('weekly', seven, 'Europe/Berlin'))).toBe('2026-11-02T06:00:00.000Z');
  });

  it('a month on its first, about the whole month before', () => {
    const [march, february] = duesOf('monthly', at('2028-04-01T05:00:00Z'), 'Europe/Berlin', 2);
    expect([march?.range, march?.before, iso(march?.at)]).toEqual([
      { from: '2028-03-01', to: '2028-03-31' },
      { from: '2028-02-01', to: '2028-02-29' },
      '2028-04-01T05:00:00.000Z',
    ]);
    expect(february?.range).toEqual({ from: '2028-02-01', to: '2028-02-29' });
    expect(iso(nextDue('monthly', at('2028-04-01T05:00:00Z'), 'Europe/Berlin'))).toBe('2028-05-01T05:00:00.000Z');
  });
});
