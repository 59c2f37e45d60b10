import type { Hold, Receipt, WindowLine } from '../../contract/windows.ts';

const day = 86_400_000;
const ago = (days: number) => new Date(Date.now() - days * day).toISOString();
const dayAgo = (days: number) => ago(days).slice(0, 10);

/** Windows, nights and holds of a small team; a new one has neither receipts nor holds. */
export function windowsOf(path: string, isNew: boolean): object | undefined {
  const part = /^\/api\/organisations\/[^/]+\/(windows(?:\/tonight|\/receipts)?|holds)$/.exec(path)?.[1];
  switch (part) {
    case 'windows':
      return {
        ...{ lines, profile: 'eu', version: 2, next: ago(-0.4) },
        profiles: [
          { name: 'strict', words: 'The windows of the ledger as they are.' },
          {
            name: 'eu',
            words: 'Lists of mail, notifications and events that were not stored for 6 months in place of 12.',
          },
          {
            name: 'uk',
            words: 'Lists of mail, notifications and events that were not stored for 6 months in place of 12.',
          },
          { name: 'us', words: 'The windows of the ledger as they are.' },
          { name: 'sg', words: 'The windows of the ledger as they are.' },
        ],
        sites: [
          { domain: 'blog.example', months: 6 },
          { domain: 'shop.example', months: 25 },
        ],
        night: { day: dayAgo(0.5), state: 'clean', rows: 48_213, past_due: 0 },
      };
    case 'windows/tonight':
      return {
        ...{ at: ago(-0.4), holds: 1 },
        lines: [
          {
            ...{ name: 'visitor-events', class: 'D3', holds: '', kept: '13 months', cut_off: ago(395), problem: null },
            tables: [
              { table: 'events', rows: 1_402, oldest: ago(396), is_held: false },
              { table: 'visits', rows: 388, oldest: ago(396), is_held: false },
              { table: 'events', rows: 90_114, oldest: ago(611), is_held: true },
            ],
          },
          {
            ...{ name: 'mail', class: 'D16', holds: '', kept: '6 months', cut_off: ago(183), problem: null },
            tables: [{ table: 'mail.messages', rows: 12, oldest: ago(184), is_held: false }],
          },
          {
            ...{ name: 'robots', class: 'D3', holds: '', kept: '90 days', cut_off: ago(90), tables: [] },
            problem: 'It could not be looked at (TIMEOUT). Try again in a minute.',
          },
        ],
      };
    case 'windows/receipts':
      return isNew ? { receipts: [], next: null } : { receipts, next: 17 };
    case 'holds':
      return {
        holds: isNew ? [] : holds,
        classes: [
          { id: 'D3', name: 'visitor-event' },
          { id: 'D16', name: 'ops-log' },
        ],
      };
    default:
      return undefined;
  }
}

function line(
  name: string,
  of: Partial<WindowLine> & Pick<WindowLine, 'class' | 'holds' | 'kept' | 'size' | 'unit' | 'ends'>,
): WindowLine {
  return {
    ...{ name, class_name: '', from: 'ledger', shortened_by: 'nobody', executor: '', erasure: '', of_desk: false },
    ...{ tables: [], stored: null, last: null },
    ...of,
  };
}

const lines: WindowLine[] = [
  line('visitor-events', {
    ...{ class: 'D3', holds: 'Events and visits of visitors: page, source, device, coarse place, the id of a day' },
    ...{ kept: '13 months', size: 13, unit: 'months', ends: 'night', from: 'policy', shortened_by: 'site and policy' },
    stored: { rows: 4_118_902, oldest: ago(394) },
    last: { id: 21, at: ago(0.5), rows: 1_790, state: 'done' },
  }),
  line('robots', {
    ...{ class: 'D3', holds: 'What detected robots asked for; nothing of who they were' },
    ...{ kept: '90 days', size: 90, unit: 'days', ends: 'night', shortened_by: 'policy' },
    stored: { rows: 60_144, oldest: ago(89) },
    last: { id: 20, at: ago(0.5), rows: 712, state: 'red' },
  }),
  line('mail', {
    ...{ class: 'D16', holds: 'The list of sent mail: kind, time, outcome, the address sealed' },
    ...{ kept: '6 months', size: 6, unit: 'months', ends: 'night', from: 'profile', shortened_by: 'policy' },
    stored: { rows: 214, oldest: ago(180) },
  }),
  line('access-log', {
    ...{ class: 'D15', holds: 'Who asked the account plane for what: time, address, route, status' },
    ...{ kept: '90 days', size: 90, unit: 'days', ends: 'clock', of_desk: true },
    last: { id: 23, at: ago(0.5), rows: null, state: 'done' },
  }),
  line('day-counts', {
    ...{
      class: 'D22',
      holds: 'Counts of closed days. Once the events are gone, counts of fewer than ten visitors are gone too',
    },
    ...{ kept: 'the site is emptied or deleted', size: null, unit: null, ends: 'life' },
  }),
  line('suppressions', {
    ...{ class: 'D25', holds: 'Keyed digests of addresses that get no mail, and why' },
    ...{ kept: 'its owner allows mail again', size: null, unit: null, ends: 'never', of_desk: true },
  }),
];

const receipts: Receipt[] = [
  [21, 'visitor-events', 'done', 1_790, 90_114, 0],
  [20, 'robots', 'red', 0, 0, 712],
  [19, 'mail', 'done', 14, 0, 0],
  [18, 'visitor-events', 'interrupted', 0, 0, 0],
].map(([id, name, state, gone, held, left], at) => ({
  ...{ id: id as number, night: dayAgo(at / 2 + 0.5), line: name as string, class: 'D3', kept: '13 months' },
  ...{ kept_from: 'policy, version 2', cut_off: ago(395), state: state as Receipt['state'] },
  ...{ began_at: ago(at / 2 + 0.5), ended_at: ago(at / 2 + 0.5), held: held === 0 ? [] : [4] },
  ...{ rows_gone: gone as number, rows_held: held as number, rows_past_due: left as number },
  gone:
    gone === 0
      ? []
      : [
          { table: 'events', rows: 1_402, oldest: ago(396), digest: '5b0c9f2a77e41d06' },
          { table: 'visits', rows: 388, oldest: ago(396), digest: 'd81f02c44ab97e13' },
        ],
  problem: state === 'red' ? 'It could not be done (TIMEOUT). The next night tries again.' : null,
}));

const holds: Hold[] = [
  {
    ...{
      id: 4,
      scope: 'site',
      label: 'shop.example',
      reason: 'Claim 2026-118 of a customer',
      owner: 'The legal department',
    },
    ...{ review_on: dayAgo(-61), is_review_due: false, placed_at: ago(29), released_at: null, release_reason: null },
  },
  {
    ...{
      id: 3,
      scope: 'class',
      label: 'D16 ops-log',
      reason: 'Inspection of the supervisory authority',
      owner: 'Legal',
    },
    ...{ review_on: dayAgo(2), is_review_due: true, placed_at: ago(92), released_at: null, release_reason: null },
  },
  {
    ...{
      id: 1,
      scope: 'everything',
      label: 'everything of the organisation',
      reason: 'Claim 2025-031',
      owner: 'Legal',
    },
    ...{
      review_on: dayAgo(200),
      is_review_due: false,
      placed_at: ago(290),
      released_at: ago(210),
      release_reason: 'settled',
    },
  },
];
