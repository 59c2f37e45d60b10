import { type CheckRun, type ProofPage, type RequirementState, requirementStates } from '../../contract/proof.ts';

const day = 86_400_000;
const ago = (ms: number) => new Date(Date.now() - ms).toISOString();

/** Runs of the live checks: yesterday a key file that lies beside the data, last week a table without its guard. */
export function checkRunsOf(): CheckRun[] {
  const ok = (check: string, what: string, fact: string) => ({ check, what, state: 'ok' as const, fact });
  const well = [
    ok('row-security', 'row security', 'every table is bound to its owner by forced row security'),
    ok('data-classes', 'data classes', 'each of 1,204 stored columns has its class'),
    ok('salt', 'visitor salt', '9 h 14 min old, of today alone, outside the data directory'),
    ok('audit-checkpoint', 'age of the last checkpoint', `signed at ${ago(20 * 60_000)}`),
    ok('key-age', 'age of the keys', '4 in use, the oldest 61 days old; 365 at most'),
    ok('headers', 'headers and cookies', '33 of 33 as they must be'),
    ok('egress', 'calls to others', '3 hosts were called since the start, each as the settings say'),
    ok('disk', 'disk', '41 % used, 212.4 GB free at the data directory'),
  ];
  const weekly = [
    ok('audit-chain', 'audit log', '18,204 entries in 3 chains hold against 2,190 signed checkpoints'),
    ok('canaries', 'canary scan', 'none of 3 canaries in 41 files (88.2 MB) written since'),
  ];
  const key = {
    ...{ check: 'key-file', what: 'key file', state: 'look' as const },
    fact: 'it lies on the same disk as the data, so one stolen disk carries both',
    todo: 'Name a file on another disk in FAIRLEAD_KEY_FILE, and keep a copy of it away from the backups.',
  };
  const open = {
    ...{ check: 'row-security', what: 'row security', state: 'wrong' as const },
    fact: 'goals has no forced row security: ENABLE and FORCE it, or give a reason in ownerless.',
    todo: 'Run fairlead migrate.',
  };
  const base = { signature: 'holds' as const, turned_red: [], turned_well: [] };
  return [
    { ...base, id: 4, made_at: ago(day / 24), kind: 'weekly', worst: 'look', findings: [key, ...well, ...weekly] },
    {
      ...base,
      id: 3,
      made_at: ago(day),
      kind: 'daily',
      worst: 'look',
      findings: [key, ...well],
      turned_well: ['row security'],
    },
    {
      ...base,
      id: 2,
      made_at: ago(2 * day),
      kind: 'daily',
      worst: 'wrong',
      findings: [open, ...well.slice(1)],
      turned_red: ['row security'],
    },
    { ...base, id: 1, made_at: ago(3 * day), kind: 'daily', worst: 'ok', findings: well, signature: 'none' },
  ];
}

type Row = ProofPage['requirements'][number];
const lines: [id: string, subject: string, state: RequirementState, promise: string, more?: Partial<Row>][] = [
  [
    'COL-01',
    'Visitors’ devices',
    'proved',
    'In the default mode the tracker reads and writes nothing on the device of a visitor.',
  ],
  [
    'COL-09',
    'Visitors’ devices',
    'proved',
    'In memory mode links lead where they led: nothing is added and nothing is read.',
  ],
  ['COL-04', 'Visitors’ devices', 'open', 'Storage mode starts only where data-persistence="storage" is set.'],
  [
    'COL-20',
    'Visitors’ devices',
    'partly',
    'Global Privacy Control and Do Not Track switch off storage mode, identity and links across domains.',
  ],
  [
    'PSE-03',
    'Pseudonymity',
    'proved',
    'The salt changes every 24 hours, and the old one is destroyed within ten minutes.',
  ],
  [
    'PSE-04',
    'Pseudonymity',
    'proved',
    'The address of a visitor is stored nowhere: no table, log, queue, cache or backup.',
  ],
  [
    'PSE-06',
    'Pseudonymity',
    'proved',
    'Whoever copies everything after the salt changed cannot recompute the ids of yesterday.',
  ],
  ['AUT-12', 'Sign-in and access', 'proved', 'Every call asks for its permission and refuses without one.'],
  [
    'AUT-13',
    'Sign-in and access',
    'red',
    'No row of one organisation is reached by another: not by a call, a job, an export or a query.',
  ],
  ['COK-01', 'Cookies', 'proved', 'Sign-in cookies are HttpOnly, Secure, SameSite and bound to this host.'],
  [
    'COK-08',
    'Cookies',
    'not_run',
    'A browser that keeps no cookies is told so, and what to do.',
    { earlier: { at: ago(2 * day), commit: '7c01e9a4b2d3' } },
  ],
  ['CRY-07', 'Encryption', 'proved', 'Keys are changed without downtime, and every sealed value names its key.'],
  ['RET-09', 'Retention', 'proved', 'Access logs are gone after 90 days, compressed ones too.'],
  ['RET-18', 'Retention', 'open', 'No backup is older than 30 days, and a restored one forgets who was erased.'],
  ['DSR-01', 'Subject rights', 'open', 'A person gets a complete copy of what is kept about them.'],
  ['MAI-03', 'Consent and mail', 'proved', 'Reports and alerts end with one click, and their signature covers that.'],
  ['SHR-02', 'Sharing', 'partly', 'Every host that the desk calls belongs to a row of the register.'],
  ['AUD-02', 'Audit and operations', 'proved', 'Any change, removal or cut of the audit log is detected.'],
  [
    'REL-02',
    'Conversion relay',
    'later',
    'Conversions go only where the organisation connected a destination.',
    { capability: 'relay' },
  ],
  ['AI-01', 'AI', 'later', 'No personal data of visitors is in what a model is asked.', { capability: 'AI' }],
  [
    'MKT-01',
    'Marketplace, plan, publishing',
    'later',
    'Access to a marketplace reads, and can change nothing.',
    { capability: 'marketplace' },
  ],
  ['BIL-01', 'Billing', 'later', 'Card data never reaches this server.', { capability: 'billing' }],
];

/** Trust as an organisation sees it, with one promise that is broken and a check that is red. */
export function proofOf(): ProofPage {
  const requirements = lines.map(([id, subject, state, promise, more]): Row => {
    const isShown = ['proved', 'red', 'not_run', 'partly'].includes(state);
    const at = isShown && state !== 'not_run' ? ago(5 * 3_600_000) : null;
    const test = {
      ...{
        kind: 'test' as const,
        title: `${promise.replace(/\.$/, '').toLowerCase()} (${id})`,
        file: 'src/analytics/visits/salt.test.ts',
      },
      ...{
        at,
        commit: at === null ? null : '25fd8dc21ab9',
        seen: null,
        state: at === null ? ('not_run' as const) : ('passed' as const),
      },
    };
    const live = {
      ...{
        kind: 'live' as const,
        title: 'row security',
        file: null,
        at: ago(day / 24),
        commit: null,
        state: 'failed' as const,
      },
      seen: 'goals has no forced row security: ENABLE and FORCE it, or give a reason in ownerless.',
    };
    return {
      ...{ id, subject, class: 'D2', promise, state, at, by: null, capability: null },
      control:
        state === 'open' || state === 'later'
          ? ''
          : 'A file of its own beside the keys, overwritten at UTC midnight and ten minutes.',
      earlier: null,
      missing: state === 'open' || state === 'partly' ? 'This part of the trust layer is not built yet.' : null,
      evidence: isShown ? (state === 'red' ? [test, live] : [test]) : [],
      ...more,
    };
  });
  const count = (state: RequirementState) => lines.filter((line) => line[2] === state).length;
  const [run, , before] = checkRunsOf() as [CheckRun, CheckRun, CheckRun];
  const open = before.findings.find(({ state }) => state === 'wrong') as CheckRun['findings'][number];
  return {
    counts: {
      total: lines.length,
      ...(Object.fromEntries(requirementStates.map((state) => [state, count(state)])) as Record<
        RequirementState,
        number
      >),
    },
    tests: { at: ago(5 * 3_600_000), commit: '25fd8dc21ab9' },
    subjects: [...new Set(lines.map((line) => line[1]))].map((name) => ({
      name,
      promise: 'What is kept has an end, and nobody can work back to a person.',
    })),
    requirements,
    checks: [
      ...[open, ...run.findings.filter(({ check }) => check !== open.check)].map(
        ({ check, what, state, fact, todo }) => ({
          ...{ check, what, state, fact, todo: todo ?? null, at: run.made_at, proves: [] },
        }),
      ),
    ],
    run: { made_at: run.made_at, kind: run.kind, worst: run.worst, signature: 'holds' },
    key_name: '3f8a1c04be72d915',
  };
}
