import type { OperationLine, OperationsPage } from '../../contract/operations.ts';

const ada = '3f2a91c07be84d5560a1c2d3e4f50617';
const ben = '91b2c3d4e5f60718293a4b5c6d7e8f90';
const gone = 'c4d5e6f708192a3b4c5d6e7f8091a2b3';

type Short = [
  minutes: number,
  action: string,
  summary: string | null,
  who: string | null,
  object: string | null,
  code: string | null,
];
const mine: Short[] = [
  [3, 'POST /api/sites/:domain/goals', 'Adds a goal.', ada, 'goals 12', null],
  [9, 'GET /api/sites/:domain/exports/:id/file', 'The file of an export.', ben, 'exports 7', null],
  [11, 'export', null, null, 'export 7', null],
  [
    40,
    'DELETE /api/organisations/:organisation/members/:person',
    'Removes a member.',
    ben,
    `person ${gone}`,
    'last_owner',
  ],
  [95, 'import', null, null, 'import 3', 'warehouse_unavailable'],
  [180, 'PATCH /api/sites/:domain', 'Changes settings of a site.', gone, 'site 1', null],
];
const desk: Short[] = [
  [2, 'register.check', null, null, 'host api.example', 'timed_out'],
  [30, 'backup', null, null, null, null],
  [200, 'retention', null, null, null, null],
  [260, 'PUT /api/backups/settings', 'Sets when backups are made.', ada, null, null],
];

/** The operations log of a small team, and that of its desk. */
export function operationsOf(path: string, search: URLSearchParams): OperationsPage | undefined {
  const ofDesk = path === '/api/operations';
  if (!ofDesk && !/^\/api\/organisations\/\d+\/operations$/.test(path)) return undefined;
  const all = (ofDesk ? desk : mine).map(([minutes, action, summary, who, object, code], index): OperationLine => {
    const kind = /^[A-Z]+ \//.test(action) ? 'request' : action.includes('.') ? 'call' : 'job';
    const [objectKind, id] = object?.split(' ') ?? [];
    const isRequest = kind === 'request';
    return {
      ...{ id: 900 - index, at: new Date(Date.now() - minutes * 60_000).toISOString(), kind, action, summary },
      ...{ site_id: action.includes('/sites/') ? 1 : null, request_id: isRequest ? `4f0c21a9e${index}b7` : null },
      actor:
        who === null
          ? null
          : { type: 'person', id: who, name: who === ada ? 'Ada Moreau' : who === ben ? 'Ben Okafor' : null },
      object: objectKind === undefined || id === undefined ? null : { kind: objectKind, id },
      outcome: code === null ? 'done' : isRequest ? 'refused' : 'failed',
      ...{ code, ms: 40 + index * 31, browser: isRequest ? 'Firefox 142' : null },
      network: isRequest ? '203.0.113.0/24' : null,
    };
  });
  const lines = all.filter(
    (one) =>
      (search.get('kind') ?? one.kind) === one.kind &&
      (search.get('outcome') ?? one.outcome) === one.outcome &&
      (search.get('request') ?? one.request_id) === one.request_id,
  );
  return {
    ...{ lines, next: search.size > 0 ? null : 895, lost: ofDesk ? 12 : 0 },
    people: [
      { id: ada, name: 'Ada Moreau' },
      { id: ben, name: 'Ben Okafor' },
    ],
  };
}
