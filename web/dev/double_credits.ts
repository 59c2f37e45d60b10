import type { Credits, CreditTransfer, CreditTransferStory } from '../../contract/credits.ts';

/** Credits of a small shop that has used some for a month; an organisation that is new has none. */
export function creditsOf(
  method: string,
  path: string,
  search: URLSearchParams,
  isNew: boolean,
): { status: number; body: unknown } | undefined {
  if (method === 'POST' && /^\/api\/desk\/organisations\/\d+\/credits$/.test(path))
    return { status: 201, body: { is_new: true, available: 5_000 * million } };
  const rest = /^\/api\/organisations\/\d+\/relay\/credits(\/.*)?$/.exec(path);
  if (method !== 'GET' || rest === null) return undefined;
  const [, part = ''] = rest;
  if (part === '') return { status: 200, body: bodyOf(search.get('period') ?? '30d', isNew) };
  if (part === '/transfers') {
    if (isNew) return { status: 200, body: { transfers: [], next: null } };
    const shown = transfers.filter(
      ({ kind }) => search.get('holds') === 'yes' || (kind !== 'reserve' && kind !== 'release'),
    );
    return { status: 200, body: { transfers: shown, next: search.has('cursor') ? null : 12 } };
  }
  const id = Number(part.split('/')[2]);
  const transfer = transfers.find((one) => one.id === id) ?? (transfers[0] as CreditTransfer);
  const story: CreditTransferStory = {
    transfer,
    charges:
      transfer.kind !== 'charge'
        ? []
        : Array.from({ length: Math.min(12, transfer.deliveries ?? 0) }, (_, at) => ({
            ...{ delivery_id: 900 + at, amount: million, charged_at: ago(9), is_refunded: at === 2 },
            conversion_id: `0b5d7c1e-4a2f-4c38-9e1d-${String(at).padStart(12, '0')}`,
          })),
    next: (transfer.deliveries ?? 0) > 12 ? 912 : null,
  };
  return { status: 200, body: story };
}

const million = 1_000_000;
const minuteMs = 60_000;
const dayMs = 86_400_000;
const ago = (minutes: number) => new Date(Date.now() - minutes * minuteMs).toISOString();
/** A week of a shop: fewer at its end. */
const week = [41, 44, 47, 52, 58, 33, 29];

function bodyOf(period: string, isNew: boolean): Credits {
  const count = { today: 1, '7d': 7, '30d': 30, '90d': 90 }[period] ?? 30;
  const first = Date.now() - (count - 1) * dayMs;
  const days = Array.from({ length: count }, (_, at) => new Date(first + at * dayMs).toISOString().slice(0, 10));
  const used = (factor: number) => days.map((_, at) => Math.round((week[at % 7] as number) * factor) * million);
  const row = (destination_id: number, factor: number, refunded: number): Credits['destinations'][number] => {
    const by_day = used(factor);
    const consumed = by_day.reduce((sum, value) => sum + value, 0);
    return { destination_id, by_day, consumed, deliveries: consumed / million, refunded: refunded * million };
  };
  const none = { available: 0, reserved: 0, consumed: 0, expired: 0, granted: 0, refunded: 0 };
  return {
    ...{ is_on: period !== 'today', state: isNew ? 'out' : 'low', used_last_days: isNew ? 0 : 912 * million },
    balance: isNew
      ? none
      : {
          ...{ available: 783 * million, reserved: 12 * million, consumed: 4_138 * million },
          ...{ expired: 120 * million, granted: 5_000 * million, refunded: 53 * million },
        },
    lots: isNew
      ? []
      : [
          {
            ...{ id: 1, amount: 1_000 * million, remaining: 295 * million, added_at: ago(40 * 24 * 60) },
            expires_at: `${new Date(Date.now() + 32 * dayMs).toISOString().slice(0, 10)}T00:00:00.000Z`,
          },
          { id: 2, amount: 500 * million, remaining: 500 * million, added_at: ago(9 * 24 * 60), expires_at: null },
        ],
    span: { from: new Date(first).toISOString(), to: ago(-600), timezone: 'Europe/Berlin' },
    days,
    destinations: isNew ? [] : [row(11, 1, 0), row(12, 0.9, 53), row(99, 0.2, 0)],
  };
}

const line = (
  id: number,
  kind: CreditTransfer['kind'],
  minutes: number,
  lines: CreditTransfer['lines'],
  more: Partial<CreditTransfer> = {},
): CreditTransfer => ({
  ...{ id, kind, at: ago(minutes), destination_id: null, deliveries: null, reference: null, lines },
  change: lines.reduce(
    (sum, { account, amount }) => (account === 'available' || account === 'reserved' ? sum + amount : sum),
    0,
  ),
  ...more,
});
const moved = (amounts: Partial<Record<CreditTransfer['lines'][number]['account'], number>>) =>
  Object.entries(amounts).map(([account, credits]) => ({
    account: account as CreditTransfer['lines'][number]['account'],
    amount: credits * million,
  }));
const transfers: readonly CreditTransfer[] = [
  line(31, 'charge', 4, moved({ reserved: -14, available: 1, consumed: 13 }), { destination_id: 11, deliveries: 13 }),
  line(30, 'reserve', 4, moved({ reserved: 14, available: -14 }), { destination_id: 11, deliveries: 14 }),
  line(29, 'charge', 9, moved({ reserved: -1, consumed: 1 }), { destination_id: 12, deliveries: 1 }),
  line(28, 'reserve', 9, moved({ reserved: 1, available: -1 }), { destination_id: 12, deliveries: 1 }),
  line(27, 'refund', 38, moved({ available: 53, refunded: -53 }), { destination_id: 12, deliveries: 53 }),
  line(25, 'charge', 61, moved({ reserved: -240, consumed: 240 }), { destination_id: 12, deliveries: 240 }),
  line(21, 'expiry', 11 * 60, moved({ available: -120, expired: 120 })),
  line(17, 'charge', 26 * 60, moved({ reserved: -2, consumed: 2 }), { destination_id: 99, deliveries: 2 }),
  line(14, 'grant', 9 * 24 * 60, moved({ available: 500, granted: -500 }), { reference: 'Invoice 2026-118' }),
  line(12, 'withdrawal', 9 * 24 * 60 + 4, moved({ available: -5_000, granted: 5_000 }), {
    reference: 'a zero too many',
  }),
];
