import type { SiteContent, SiteLife, SiteMove } from '../../contract/site_life.ts';

const dayMs = 86_400_000;
const at = (days: number) => new Date(Date.now() + days * dayMs).toISOString();
const rows = (kind: SiteContent['kind'], count: number, days?: [string, string]): SiteContent => ({
  ...{ kind, rows: count, first_day: days?.[0] ?? null, last_day: days?.[1] ?? null },
});
const move = (site: string, from: string, to: string | null): SiteMove => ({
  ...{ id: 4, state: 'offered', site, site_id: 2, from, to },
  ...{ offered_at: at(-1), expires_at: at(6), decided_at: null },
});

/** What becomes of the double's sites: the shop goes on, the blog is about to be deleted, one was emptied. */
export function lifeOf(domain: string): SiteLife {
  const base: SiteLife = { domain, former_domains: [], removal: null, move: null };
  const removal = {
    ...{ id: 1, domain, asked_at: at(-1), due_at: at(6), cut_at: null, steps_done: 0, steps: 14 },
    ...{ waits_for: null, removed: [], rows_left: null, finished_at: null },
  };
  if (domain === 'shop.example')
    return {
      ...base,
      former_domains: [{ domain: 'old-shop.example', replaced_at: at(-40) }],
      move: move(domain, 'Cedar & Loom', 'harbour-agency'),
    };
  if (domain === 'blog.example') return { ...base, removal: { ...removal, kind: 'deletion', state: 'waiting' } };
  if (domain === 'moved.example')
    return { ...base, removal: { ...removal, kind: 'emptying', state: 'done', rows_left: 0, finished_at: at(-1) } };
  return base;
}

export function contentsOf(domain: string): SiteContent[] {
  if (domain === 'new.example') return [rows('events', 0), rows('goals', 0)];
  return [
    rows('events', 1_284_310, ['2026-08-30', '2026-11-28']),
    rows('visits', 402_118, ['2026-08-30', '2026-11-28']),
    rows('counts', 90, ['2026-08-30', '2026-11-27']),
    ...[rows('drops', 412), rows('goals', 5), rows('shields', 2), rows('annotations', 2), rows('shares', 1)],
  ];
}

export const offeredMoves = { received: [move('lantern.example', 'Harbour agency', null)], given: [] };
