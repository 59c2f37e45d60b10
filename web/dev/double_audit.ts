import type { AuditEntry } from '../../contract/audit.ts';

/** Some of the registry, as the desk says it. */
const actions = {
  'audit.viewed': { sentence: 'looked at the audit log', severity: 'info' },
  'member.role_changed': { sentence: 'changed the role of {target}', severity: 'notice' },
  'session.started': { sentence: 'signed in', severity: 'info' },
  'session.refused': { sentence: 'was refused at sign-in', severity: 'notice' },
  'goal.added': { sentence: 'added the goal {target}', severity: 'info' },
  'key.created': { sentence: 'made the API key {target}', severity: 'notice' },
  'export.downloaded': { sentence: 'downloaded an export of {target}', severity: 'notice' },
  'second_factor.disabled': { sentence: 'switched the second factor off', severity: 'alert' },
  'site.changed': { sentence: 'changed settings of {target}', severity: 'info' },
  'contact_clicks.viewed': { sentence: 'looked at contact clicks of {target}', severity: 'notice' },
  'member.left': { sentence: 'left', severity: 'notice' },
  'site.created': { sentence: 'added the site {target}', severity: 'notice' },
} as const;

/** The trail of a small team, made anew at each question; `q=nothing` finds none and `q=broken` cannot be read. */
export function auditOf(search: URLSearchParams, isChain: boolean): object | undefined {
  const all = entriesOf();
  if (isChain)
    return {
      entries: 1_204,
      removed_to: 0,
      verified_to: 1_204,
      verified_at: all[0]?.at ?? null,
      is_whole: true,
      findings: [],
      checkpoint: { at: new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000).toISOString(), seq: 1_198 },
      public_key: '5mX0bqvM1n3yqJwq0pQ3u8oQ9cZ3dH2kK1sT7vB4eFg=',
      key_name: '3f8a1c04be72d915',
      actions: Object.entries(actions).map(([name, { sentence }]) => ({ name, sentence })),
    };
  const words = search.get('q') ?? '';
  if (words === 'broken') return undefined;
  const [type, id] = (search.get('actor') ?? '').split(':');
  const entries = all.filter(
    (one) =>
      (words === '' || one.action.includes(words)) &&
      (search.get('group') === null || one.action.startsWith(`${search.get('group')}.`)) &&
      (search.get('outcome') === null || one.outcome === search.get('outcome')) &&
      (type === '' || (one.actor.type === type && (id === undefined || one.actor.id === id))),
  );
  return { entries, next: search.get('q') === null && search.get('cursor') === null ? 1_190 : null };
}

function entriesOf(): AuditEntry[] {
  const ada = { type: 'person', id: '9f2b7c11d0e84a6fb35c20719ad4e8f1', name: 'Ada Holm' } as const;
  const ben = { type: 'person', id: '17c0d2b95e4f4a1c8e6622b0f9a3d7c4', name: 'Ben Okafor' } as const;
  const shop = { type: 'site', id: '1', label: 'shop.example' };
  const lines: [number, keyof typeof actions, AuditEntry['actor'], Partial<AuditEntry>][] = [
    [2, 'audit.viewed', ada, {}],
    [
      9,
      'member.role_changed',
      ada,
      { targets: [{ type: 'person', id: ben.id, label: 'Ben Okafor' }], details: { from: 'viewer', to: 'analyst' } },
    ],
    [31, 'session.started', ben, { details: { device: 'Firefox on Linux' } }],
    [33, 'session.refused', ben, { outcome: 'refused', reason: 'wrong_password', network: '198.51.100.0/24' }],
    [58, 'goal.added', ben, { targets: [{ type: 'goal', id: '7', label: 'Newsletter sign-up' }, shop] }],
    [
      190,
      'key.created',
      ada,
      { targets: [{ type: 'key', id: '3', label: 'Monthly report' }], details: { scopes: 'stats:read' } },
    ],
    [
      260,
      'export.downloaded',
      { type: 'key', id: '2', name: 'Checkout service' },
      { targets: [shop], details: { format: 'ndjson' } },
    ],
    [1_500, 'second_factor.disabled', ben, { details: { sessions_ended: 2 } }],
    [1_640, 'site.changed', ada, { targets: [shop], details: { titles: 'true → false' } }],
    [2_900, 'contact_clicks.viewed', ada, { targets: [shop] }],
    [4_400, 'member.left', { type: 'person', id: '5b1e', name: null }, { is_erased: true, network: null }],
    [
      5_800,
      'site.created',
      { type: 'operator', id: null, name: null },
      { targets: [shop], network: null, request_id: null },
    ],
  ];
  return lines.map(([minutes, action, actor, more], i) => ({
    seq: 1_204 - i,
    at: new Date(Date.now() - minutes * 60_000).toISOString(),
    action,
    ...{ sentence: actions[action].sentence, severity: actions[action].severity },
    ...{ outcome: 'done', reason: null, actor, targets: [], details: {}, is_erased: false },
    ...{ network: '203.0.113.0/24', request_id: `4c1f0${i}a9be2d` },
    hash: `${(i + 10).toString(16).padStart(2, '0')}`.repeat(32),
    ...more,
  }));
}
