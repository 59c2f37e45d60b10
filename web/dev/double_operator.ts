import type { AccessPage } from '../../contract/access_log.ts';
import type { BackupState } from '../../contract/backups.ts';
import type { UsageAnswer } from '../../contract/usage.ts';
import { checkRunsOf } from './double_proof.ts';

type Line = AccessPage['entries'][number];

/** What the desk says to who runs it. `route=broken` cannot be read; the day 2026-01-01 has nothing. */
export function operatorOf(path: string, search: URLSearchParams): object | 'broken' | undefined {
  if (path === '/api/backups') return backupsOf();
  if (path === '/api/usage') return usageOf();
  if (path === '/api/proof/runs') return { runs: checkRunsOf() };
  const isOwners = /^\/api\/organisations\/\d+\/access-log$/.test(path);
  if (path !== '/api/access-log' && !isOwners) return undefined;
  if (search.get('route') === 'broken') return 'broken';
  const today = new Date().toISOString().slice(0, 10);
  const days = [0, 1, 2, 5].map((back) => new Date(Date.now() - back * 86_400_000).toISOString().slice(0, 10));
  const day = search.get('day') ?? today;
  const status = search.get('status') ?? '';
  const entries = linesOf(day, isOwners).filter(
    (one) =>
      (search.get('method') === null || one.method === search.get('method')) &&
      (status === '' ||
        (status.endsWith('xx') ? String(one.status)[0] === status[0] : String(one.status) === status)) &&
      one.route.toLowerCase().includes((search.get('route') ?? '').toLowerCase()),
  );
  const next = search.get('cursor') === null && status === '' && search.get('route') === null ? '48213' : null;
  return { on: true, days, day, entries: days.includes(day) ? entries : [], next } satisfies AccessPage;
}

function linesOf(day: string, isOwners: boolean): Line[] {
  const lines: [string, string, string, number, number, string][] = [
    [
      '203.0.113.77',
      'DE, Berlin',
      isOwners ? 'GET /api/organisations/:organisation/access-log' : 'GET /api/access-log',
      200,
      14,
      'GET',
    ],
    ['203.0.113.77', 'DE, Berlin', 'POST /api/v2/query/batch', 200, 88, 'POST'],
    ['198.51.100.23', 'NL', 'POST /api/sessions', 401, 262, 'POST'],
    ['198.51.100.23', 'NL', 'POST /api/sessions', 429, 3, 'POST'],
    ['2001:db8:71a3:4f::9e12', '', 'GET /api/sites/:domain/goals', 404, 6, 'GET'],
    ['203.0.113.77', 'DE, Berlin', 'GET /api/organisations/:organisation/audit/export', 200, 1_204, 'GET'],
    ['192.0.2.140', 'US, Oregon', 'PATCH /api/sites/:domain', 200, 31, 'PATCH'],
    ['192.0.2.140', 'US, Oregon', 'GET /api/sites/:domain/realtime', 503, 5_001, 'GET'],
    ['203.0.113.77', 'DE, Berlin', 'file', 200, 1, 'GET'],
  ];
  const ofOne = lines.filter(([, , route]) => !isOwners || !/sessions|^file/.test(route));
  return ofOne.map(([address, place, route, status, ms, method], i) => ({
    time: `${day}T${String(21 - i).padStart(2, '0')}:4${i}:07.${110 + i}Z`,
    ...{ address, place, method, route, status, ms },
    request_id: `4c1f0${i}a9be2d`,
  }));
}

/** A month of a desk with three organisations, one of them small. */
function usageOf(): UsageAnswer {
  const days = Array.from({ length: 30 }, (_, at) => ({
    day: new Date(Date.now() - (29 - at) * 86_400_000).toISOString().slice(0, 10),
    opened: at % 7 > 4 ? 2 : 14 + ((at * 7) % 19),
    used: at % 7 > 4 ? 0 : 3 + ((at * 5) % 7),
  }));
  const all = days.reduce((sum, { opened }) => sum + opened, 0);
  const shares = {
    analytics: 0.44,
    realtime: 0.17,
    goals: 0.11,
    'organisation-sites': 0.09,
    trust: 0.08,
    missing: 0.06,
  };
  return {
    ...{ is_on: true, class: 'D22', kept: '12 months', days },
    pages: Object.entries(shares).map(([page, share]) => ({ page, opened: Math.round(all * share) })),
    features: [
      { feature: 'filter', used: 61, days: 19 },
      { feature: 'whole-list', used: 24, days: 12 },
      { feature: 'comparison', used: 9, days: 6 },
      { feature: 'goal', used: 7, days: 4 },
      { feature: 'export', used: 3, days: 3 },
      { feature: 'audit-export', used: 1, days: 1 },
    ],
    organisations: [
      { name: 'Cedar & Loom', opened: Math.round(all * 0.58), page: 'analytics', used: 71, feature: 'filter' },
      {
        name: 'Wilhelmina Katharina von Hohenstein-Oldenburg Nachfolger',
        opened: Math.round(all * 0.3),
        page: 'trust',
        ...{ used: 34, feature: 'export' },
      },
      { name: null, opened: Math.round(all * 0.12), page: 'realtime', used: 0, feature: null },
    ],
  };
}

/** A week of backups, one of which found no room. */
function backupsOf(): BackupState {
  const day = 86_400_000;
  const at = (back: number, ms = 0) =>
    new Date(Math.floor(Date.now() / day) * day - back * day + 3 * 3_600_000 + ms).toISOString();
  const run = (id: number, back: number, more: Partial<BackupState['runs'][number]> = {}) => ({
    ...{ id, began_at: at(back), ended_at: at(back, 37_400), state: 'done' as const, kind: 'whole' as const },
    ...{ bytes: 612_400_128 - back * 4_100_000, key_name: '4F2C91AA', verified_at: at(back, 37_400), problem: null },
    ...{ remote_state: 'done' as const, remote_problem: null },
    ...more,
  });
  return {
    ...{
      is_ours: true,
      folder: '/srv/fairlead-backups',
      store: 'https://s3.store.example/desk-backups/',
      hour: 3,
      days: 14,
      is_running: false,
    },
    recovery_key: { name: '4F2C91AA', made_at: at(61) },
    files: [1, 2, 4, 5].map((back) => ({
      file: `fairlead-${at(back).slice(0, 10).replaceAll('-', '')}T030000Z.backup`,
      ...{ made_at: at(back), bytes: 612_400_128 - back * 4_100_000 },
    })),
    runs: [
      run(9, 1),
      run(8, 2, {
        remote_state: 'failed' as const,
        remote_problem:
          'The object store https://s3.store.example/desk-backups/ did not take part: it answers 403 QuotaExceeded (it is full).',
      }),
      run(7, 3, {
        ...{ state: 'failed' as const, bytes: null, verified_at: null, ended_at: at(3, 2_100), remote_state: null },
        problem:
          'The disk of the folder has 0.4 GB free, and a backup needs about 1.2 GB. Make room, or set FAIRLEAD_BACKUP_DIR to another disk.',
      }),
      run(6, 3, { kind: 'keys' as const, bytes: 184_320, ended_at: at(3, 900) }),
      run(5, 4),
      run(4, 5),
      run(1, 19, { state: 'removed' as const, remote_state: 'removed' as const }),
    ],
    ...{ restored_at: at(6), released_at: null },
    held: [
      { template: 'report', messages: 4, oldest: at(7) },
      { template: 'status_changed', messages: 1, oldest: at(8) },
    ],
  };
}
