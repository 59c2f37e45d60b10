import type { Shield, ShieldKind, ShieldList, ShieldPreview } from '../../contract/shields.ts';

const dayMs = 86_400_000;

interface Answered {
  status: number;
  body?: unknown;
}

/** Shields of one site of the double: a busy site has one of each kind, the others none. */
export function openShields(domain: string, daily: number) {
  let nextId = 1;
  const rule = (kind: ShieldKind, value: string | null, note = '', days = 40): Shield => ({
    ...{ id: nextId++, kind, value, note, added_by: days > 30 ? 'owner@shop.example' : null },
    added_at: new Date(Date.now() - days * dayMs).toISOString(),
  });
  const shields =
    domain === 'shop.example'
      ? [
          rule('path', '/admin/**', 'Our own staff'),
          rule('path', '/checkout/*/preview', '', 12),
          rule('hostname', '*.shop.example'),
          rule('country', 'AQ', 'Robots of the research station', 3),
          rule('address', null, 'Office in Berlin'),
          rule('address', '203.0.113.0/24', 'Agency'),
          rule('referrer', 'buttons-for-free.example'),
        ]
      : [];
  const removed = new Map<string, Shield>();
  const share: Partial<Record<ShieldKind, number>> = { path: 0.041, hostname: 0.013, address: 0.062, rate: 0.002 };
  const reasons: Record<ShieldKind, string> = {
    ...{ hostname: 'site_hostname_allowlist', blocked_hostname: 'site_hostname_blocklist' },
    ...{ path: 'site_page_blocklist', country: 'site_country_blocklist', address: 'site_ip_blocklist' },
    ...{ referrer: 'site_referrer_blocklist', rate: 'throttle' },
  };
  const busy = shields.length > 0;
  const week = {
    from: new Date(Date.now() - 7 * dayMs).toISOString(),
    to: new Date().toISOString(),
    stored: Math.round(daily * 7),
    dropped: (Object.keys(reasons) as ShieldKind[]).map((kind) => ({
      ...{ kind, reason: reasons[kind], events: busy ? Math.round(daily * 7 * (share[kind] ?? 0)) : 0 },
    })),
  };

  function preview(kind: ShieldPreview['kind'], value: string): ShieldPreview {
    const part = value.length > 30 ? 0 : value === '**' || value === '/**' ? 1 : 0.034;
    const last = Math.floor(Date.now() / dayMs) * dayMs;
    const steps = Array.from({ length: 7 }, (_, at) => new Date(last - (6 - at) * dayMs).toISOString());
    const by_step = steps.map((_, at) => Math.round(daily * part * (1 + Math.sin(at) / 3)));
    const events = by_step.reduce((sum, each) => sum + each, 0);
    const pages = ['/admin/orders', '/admin/products/wool-throw/edit', '/admin'];
    return {
      ...{ kind, value, from: week.from, to: week.to, steps, estimated: kind === 'rate' },
      stored: { events: Math.max(events, Math.round(daily * 7)), visitors: Math.round(daily * 3) },
      dropped: { events, visitors: kind === 'rate' ? null : Math.round(events / 9), by_step },
      busiest: kind === 'rate' ? 41 : null,
      examples:
        events === 0 || kind === 'rate'
          ? []
          : pages.map((page, at) => ({
              ...{ what: `${domain}${page}`, events: Math.ceil(events / (at + 2)), visitors: Math.ceil(events / 20) },
            })),
      confirm: part === 1,
    };
  }

  return function answer(method: string, id: string | undefined, body: unknown, search: URLSearchParams): Answered {
    if (id === 'shield-preview')
      return {
        status: 200,
        body: preview(search.get('kind') as ShieldPreview['kind'], search.get('value') ?? ''),
      };
    if (id === 'shield-undo') {
      const back = removed.get((body as { undo: string }).undo);
      if (back !== undefined) shields.push(back);
      return { status: 201, body: back };
    }
    if (method === 'DELETE') {
      const [gone] = shields.splice(
        shields.findIndex((one) => one.id === Number(id)),
        1,
      );
      if (gone !== undefined) removed.set(String(id), gone);
      return { status: 200, body: { undo: String(id) } };
    }
    if (method === 'POST') {
      const asked = body as { kind: ShieldKind | 'own_address'; value?: string; note?: string };
      const own = asked.kind === 'own_address';
      const made = rule(
        own ? 'address' : (asked.kind as ShieldKind),
        own ? null : (asked.value ?? null),
        asked.note,
        0,
      );
      shields.push(made);
      return { status: 201, body: made };
    }
    return { status: 200, body: { shields, week, limits: { shields: 100, rate: 500 } } satisfies ShieldList };
  };
}
