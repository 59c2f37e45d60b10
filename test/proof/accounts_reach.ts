import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { type AccountsDesk, accountsDesk, organisation, rivalSite, site } from './drivers/accounts_desk.ts';
import { until } from './drivers/desk.ts';
import type { Answer, TestBrowser } from './drivers/test_browser.ts';
import { must, type Proof, repository } from './kit.ts';

/** Promises about how far somebody gets: what a stolen database opens, which rows are whose, what a role may do. */

const dayMs = 86_400_000;

export const proofs: readonly Proof[] = [
  {
    id: 'AUT-11',
    title: 'Nothing that the database holds opens the desk: each stored value is tried at every door.',
    minutes: 4,
    async run(context) {
      const shared = await accountsDesk(context);
      const doors = await openDoors(shared);
      for (const { name, real, enter } of doors) {
        const answer = await enter(real);
        must(answer.status < 400, `${name} does not open for the right value: ${answer.status} ${answer.text}`);
      }
      // The positive tries used some up; what is tried now has to be living again.
      const fresh = await openDoors(shared);
      const values = new Set<string>();
      for (const [, rows] of await shared.tables.dump())
        for (const row of rows)
          for (const value of Object.values(row)) for (const form of formsOf(value)) values.add(form);
      must(values.size > 500, `Only ${values.size} values are stored.`);
      const tries = [...values].flatMap((value) => fresh.map((door) => ({ door, value })));
      let opened: string | undefined;
      const workers = Array.from({ length: 24 }, async () => {
        for (let next = tries.pop(); next !== undefined && opened === undefined; next = tries.pop()) {
          const { status } = await next.door.enter(next.value);
          if (status < 400) opened = next.door.name;
        }
      });
      const count = tries.length;
      await Promise.all(workers);
      must(opened === undefined, `A stored value opens ${opened}.`);
      return `${values.size} stored values at ${fresh.length} doors, ${count} tries: none opens; the right ones do (${fresh.map(({ name }) => name).join(', ')})`;
    },
    sabotage: {
      name: 'refresh tokens are stored as they are',
      file: 'src/accounts/tokens.ts',
      find: "refreshDigest: (token) => createHmac('sha256', refreshKey)",
      replace:
        "refreshDigest: (token) => token.length === 43 ? Buffer.from(token, 'base64url') : createHmac('sha256', refreshKey)",
    },
  },
  {
    id: 'AUT-12',
    title:
      'Every call is refused to nobody unless it says public, and answers a role as the table of permissions says.',
    async run(context) {
      const shared = await accountsDesk(context);
      const table = permissionTable();
      const document = (await shared.browser().send('GET', '/api/openapi.json')).body as unknown as {
        paths: Record<string, Record<string, unknown>>;
      };
      // Collection is for everybody; its doors are told apart in the document.
      const registered = Object.entries(document.paths).flatMap(([path, calls]) =>
        Object.entries(calls)
          .filter(([, call]) => (call as { tags?: string[] }).tags?.[0] !== 'Collection')
          .map(([method]) => ({ method: method.toUpperCase(), path: path.replace(/\{(\w+)\}/g, ':$1') })),
      );
      let refused = 0;
      for (const { method, path } of registered) {
        const row = table.get(`${method} ${path}`);
        must(row !== undefined, `${method} ${path} is in no table.`);
        if (row.nobody === 'yes') continue;
        const { status } = await shared.browser('198.18.250.9').send(method, filled(path));
        must(status === 401, `${method} ${path} answers nobody with ${status}.`);
        refused++;
      }
      const [viewer, analyst, billing, admin] = await Promise.all(
        ['viewer', 'analyst', 'billing', 'admin'].map((role) => shared.newPerson(role)),
      );
      const askers: [string, TestBrowser | undefined][] = [
        ['viewer', viewer?.browser],
        ['analyst', analyst?.browser],
        ['billing', billing?.browser],
        ['admin', admin?.browser],
      ];
      let asked = 0;
      for (const [call, path, body] of sample)
        for (const [role, browser] of askers) {
          const [method = '', declared = ''] = call.split(' ');
          const answer = await (browser as TestBrowser).send(
            method,
            path ?? filled(declared),
            body?.(`${role} ${asked}`),
          );
          const may = table.get(call)?.[role] === 'yes';
          must(
            may ? answer.status < 300 : answer.status === 404,
            `${call}: ${role} gets ${answer.status}, and ${may ? 'may' : 'may not'} do it.`,
          );
          asked++;
        }
      return `${registered.length} calls, all in the table; ${refused} refused to nobody, the rest public; ${asked} answers of four roles as written`;
    },
    sabotage: {
      name: 'who may look may change',
      file: 'src/accounts/roles.ts',
      find: 'viewer: look,',
      replace: "viewer: [...look, 'site.manage', 'goal.manage'],",
    },
  },
  {
    id: 'AUT-13',
    title: 'No row of an organisation is reached by another: not by a call, a query that forgets to ask, or a job.',
    minutes: 3,
    async run(context) {
      const shared = await accountsDesk(context);
      const { browser: ours } = await shared.newPerson('admin');
      const rival = await shared.rival();
      const things = [await fill(ours, site, 'ours'), await fill(rival, rivalSite, 'theirs')] as const;
      // By call: each side asks for the other's things, and then for its own.
      const calls = [
        ...[
          `/api/sites/@`,
          '/api/sites/@/goals',
          '/api/sites/@/annotations',
          '/api/sites/@/shares',
          '/api/sites/@/exports',
        ],
        ...['/api/sites/@/shields', '/api/sites/@/imports', '/api/sites/@/quality', '/api/sites/@/realtime'],
      ];
      let asked = 0;
      for (const [asker, own, other] of [
        [ours, site, rivalSite],
        [rival, rivalSite, site],
      ] as const)
        for (const path of calls) {
          must(
            (await asker.send('GET', path.replace('@', other))).status === 404,
            `${path} shows another organisation's.`,
          );
          must(
            (await asker.send('GET', path.replace('@', own))).status === 200,
            `${path} is refused to its own people.`,
          );
          asked += 2;
        }
      const crossed: [string, string, unknown?][] = [
        ['DELETE', `/api/sites/${site}/goals/${things[0].goal}`],
        ['DELETE', `/api/sites/${rivalSite}/goals/${things[0].goal}`],
        ['PUT', `/api/sites/${rivalSite}/annotations/${things[0].annotation}`, { day: '2026-11-02', note: 'taken' }],
        ['PATCH', `/api/sites/${rivalSite}/shares/${things[0].share}`, { name: 'taken' }],
        ['GET', '/api/organisations/1/audit'],
        ['GET', `/api/organisations/${organisation}/members`],
        ['DELETE', `/api/keys/${things[0].key}`],
      ];
      for (const [method, path, body] of crossed) {
        const { status } = await rival.send(method, path, body);
        must(status === 404, `${method} ${path} answers another organisation with ${status}.`);
      }
      must(
        (await ours.send('GET', `/api/sites/${site}/goals`)).text.includes(`"id":${things[0].goal}`),
        'A goal is gone.',
      );
      const tables = await forgetfulQueries(shared);
      const job = await exportJob(shared, ours, rival);
      return `${asked + crossed.length} calls; ${tables} tables asked without a condition, each side its own rows; ${job}`;
    },
    sabotage: {
      name: 'notes are seen by everybody',
      file: 'src/accounts/migrations/2026-11-27-04-annotations.sql',
      find: 'CREATE POLICY tenant ON annotations USING (organisation_id = current_organisation());',
      replace: 'CREATE POLICY tenant ON annotations USING (true);',
    },
  },
  {
    id: 'AUT-14',
    title: 'Another role, a removal and a suspended organisation count from the next request on, in every session.',
    async run(context) {
      const shared = await accountsDesk(context);
      const owner = await shared.owner();
      const { browser, id } = await shared.newPerson('analyst');
      const other = await shared.newPerson('viewer');
      const goal = (n: number) =>
        browser.send('POST', `/api/sites/${site}/goals`, { kind: 'page', match: `/next-request-${n}` });
      must((await goal(1)).status === 201, 'An analyst makes no goal.');
      const member = `/api/organisations/${organisation}/members/${id}`;
      must((await owner.send('PATCH', member, { role: 'viewer' })).status === 200, 'The role cannot be changed.');
      must((await goal(2)).status === 404, 'A viewer makes a goal with the session of an analyst.');
      must((await browser.send('GET', `/api/sites/${site}`)).status === 200, 'A viewer sees nothing.');
      must((await owner.send('PATCH', member, { role: 'analyst' })).status === 200, 'The role cannot be changed back.');
      must((await goal(3)).status === 201, 'The role does not come back.');
      const status = `/api/desk/organisations/${organisation}/status`;
      must(
        (await owner.send('PUT', status, { status: 'suspended', reason: 'the proof' })).status < 300,
        'No suspension.',
      );
      const whileSuspended = (await goal(4)).status;
      must((await owner.send('PUT', status, { status: 'active' })).status < 300, 'The suspension does not end.');
      must(whileSuspended === 404, `A goal is made while the organisation is suspended: ${whileSuspended}.`);
      must((await owner.send('DELETE', member)).status < 300, 'Nobody can be removed.');
      must((await browser.send('GET', `/api/sites/${site}`)).status === 404, 'Who was removed still sees the site.');
      must((await other.browser.send('GET', `/api/sites/${site}`)).status === 200, 'A colleague lost the site too.');
      return 'analyst to viewer and back, a suspension, a removal: each counted on the next request of a session from before';
    },
    sabotage: {
      name: 'roles are remembered from the first request on',
      file: 'src/accounts/index.ts',
      find: 'memberships: new Map(memberships.map((one) => [one.organisationId, one])),',
      replace: `memberships: new Map(memberships.map((one) => {
          const known = ((globalThis as any).known ??= new Map());
          const key = [personId, one.organisationId].join();
          if (!known.has(key)) known.set(key, one);
          return [one.organisationId, known.get(key)] as const;
        })),`,
    },
  },
  {
    id: 'AUT-17',
    title: 'The product logs in as a role that owns nothing, is bound by row security and cannot change the trail.',
    async run(context) {
      const { tables, home } = await accountsDesk(context);
      const { app } = tables;
      const { rows: roles } = await app.query<{ name: string }>(
        `SELECT rolname AS name FROM pg_roles WHERE pg_has_role(current_user, oid, 'MEMBER')
           AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)`,
      );
      must(roles.length === 0, `The product may become ${roles.map(({ name }) => name).join()}.`);
      const { rows: owned } = await app.query<{ name: string }>(
        `SELECT oid::regclass::text AS name FROM pg_class WHERE pg_has_role(current_user, relowner, 'MEMBER')
           AND relkind IN ('r', 'v', 'm') AND relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname LIKE 'pg_temp%')`,
      );
      must(owned.length === 0, `The product owns ${owned.map(({ name }) => name).join()}.`);
      const { rows: bare } = await app.query<{ name: string }>(
        `SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
         WHERE c.relkind = 'r' AND a.attname = 'organisation_id' AND NOT (c.relrowsecurity AND c.relforcerowsecurity)`,
      );
      must(bare.length === 0, `${bare.map(({ name }) => name).join()} is bound by no row security.`);
      const forbidden = [
        ...['UPDATE audit.entries SET action = action', 'DELETE FROM audit.entries', 'TRUNCATE audit.entries'],
        ...['UPDATE audit.chains SET hash = hash', 'INSERT INTO audit.entries SELECT * FROM audit.entries'],
        ...['ALTER TABLE sites DISABLE ROW LEVEL SECURITY', 'DROP POLICY tenant ON sites', 'DROP TABLE sites'],
        ...["COPY (SELECT 1) TO PROGRAM 'true'", "SELECT pg_read_file('/etc/hostname')", 'CREATE TABLE mine (a int)'],
        ...['SET ROLE fairlead_owner', 'SET ROLE postgres', 'ALTER ROLE fairlead_login BYPASSRLS'],
      ];
      const others = ['fairlead_audit', 'fairlead_retention', 'fairlead_vault', 'fairlead_mail'];
      for (const role of [undefined, ...others])
        for (const statement of forbidden) {
          await app.query(`BEGIN${role === undefined ? '' : `; SET LOCAL ROLE ${role}`}`);
          const code = await app.query(statement).then(
            () => 'done',
            (error: pg.DatabaseError) => error.code,
          );
          await app.query('ROLLBACK');
          must(code !== 'done', `As ${role ?? 'itself'} the product may: ${statement}`);
        }
      const keys = await app.query('SELECT * FROM vault.keys').then(
        () => 'read',
        (error: pg.DatabaseError) => error.code,
      );
      must(keys !== 'read', 'The product reads the key store without stepping into its role.');
      const { host } = app as unknown as { host: string };
      const stranger = new pg.Client({ host, user: 'fairlead_login', password: 'a guess', database: 'fairlead' });
      const login = await stranger.connect().then(
        () => 'in',
        (error: pg.DatabaseError) => error.code,
      );
      await stranger.end().catch(() => {});
      must(login === '28P01', `A wrong password of the database is answered with ${login}.`);
      const secrets = [join(home.keysDir, 'fairlead.keys'), join(home.dataDir, 'postgres', 'credentials.json')];
      for (const path of secrets)
        must((statSync(path).mode & 0o077) === 0, `${path.split('/').at(-1)} can be read by others.`);
      return `${forbidden.length} acts refused to ${others.length + 1} roles; none is superuser, owner or past row security; a wrong password refused, key file and credentials 0600`;
    },
    sabotage: {
      name: 'the product may change the trail',
      file: 'src/trust/audit/migrations/2026-11-28-12-audit.sql',
      find: 'GRANT SELECT ON audit.chains, audit.entries TO fairlead_app;',
      replace: 'GRANT SELECT, UPDATE, DELETE ON audit.chains, audit.entries TO fairlead_app;',
    },
  },
];

interface Way {
  name: string;
  /** What really opens it. */
  real: string;
  enter(value: string): Promise<Pick<Answer, 'status' | 'text'>>;
}

/** Everything that a secret of the desk opens, with a living one of each. */
async function openDoors(shared: AccountsDesk): Promise<Way[]> {
  const owner = await shared.owner();
  const person = await shared.newPerson('viewer');
  const expect = <T>(answer: Answer, member: string): T => {
    must(answer.status < 300, `What opens a door cannot be made: ${answer.text}`);
    return answer.body[member] as T;
  };
  const key = expect<string>(
    await owner.send('POST', '/api/keys', { name: `stolen ${shared.now()}`, scopes: ['sites:read'] }),
    'key',
  );
  const after = shared.mailbox.letters.length;
  await shared.browser().send('POST', '/api/password-resets', { email: person.email });
  const reset = await shared.mailbox.letter(person.email, /^Set a new password/, after);
  const invited = `door-${shared.mailbox.letters.length}@shop.example`;
  await owner.send('POST', `/api/organisations/${organisation}/invitations`, { email: invited, role: 'viewer' });
  const invitation = await shared.mailbox.letter(invited, /./, after);
  const link = expect<string>(
    await owner.send('POST', `/api/sites/${site}/shares`, {
      ...{ name: 'a door', kind: 'public', panels: ['totals'], periods: ['28d'] },
    }),
    'link',
  );
  const { cookies } = person.browser;
  const byCookie = (name: string, method: string, path: string) => (value: string) => {
    const browser = shared.browser();
    browser.cookies.set(name, value);
    return browser.send(method, path);
  };
  const numbers = /^fl_(\d+)_/.exec(key)?.[1];
  return [
    {
      name: 'a session by its access token',
      real: cookies.get('__Host-fairlead_access') ?? '',
      enter: byCookie('__Host-fairlead_access', 'GET', '/api/session'),
    },
    {
      name: 'a session by its refresh token',
      real: cookies.get('__Host-fairlead_refresh') ?? '',
      enter: byCookie('__Host-fairlead_refresh', 'POST', '/api/sessions/refresh'),
    },
    {
      name: 'an API key',
      real: key,
      enter: (value) =>
        shared.browser().send('GET', '/api/sites', undefined, {
          authorization: `Bearer ${value.startsWith('fl_') ? value : `fl_${numbers}_${value.slice(0, 40)}`}`,
        }),
    },
    {
      name: 'the link of a reset',
      real: /#token=([\w-]+)/.exec(reset.text)?.[1] ?? '',
      enter: (token) =>
        shared.browser().send('PUT', '/api/password-resets', { token, password: 'opened by a stolen row' }),
    },
    {
      name: 'an invitation',
      real: /invitation[/#](?:token=)?([\w-]{16,})/.exec(invitation.text)?.[1] ?? '',
      enter: (token) => shared.browser().send('POST', '/api/invitations/readings', { token }),
    },
    {
      name: 'a shared page',
      real: new URL(link).pathname.split('/').at(-1) ?? '',
      enter: (token) => shared.browser().send('GET', `/share/${encodeURIComponent(token)}`),
    },
  ];
}

/** As it could be typed in: text as it is, bytes in the ways that tokens are written. Fewer than 16 bytes are no secret. */
function formsOf(value: unknown): string[] {
  if (typeof value === 'string')
    return value.length >= 16 && value.length <= 400 && /^[\x21-\x7e]+$/.test(value) ? [value] : [];
  if (!Buffer.isBuffer(value) || value.length < 16 || value.length > 300) return [];
  return [value.toString('base64url'), value.toString('hex')];
}

type Row = Record<string, string>;

/** docs/guides/permissions.md, read as people read it. */
function permissionTable(): Map<string, Row> {
  const table = new Map<string, Row>();
  let header: string[] = [];
  for (const line of readFileSync(join(repository, 'docs/guides/permissions.md'), 'utf8').split('\n')) {
    const cells = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
    if (cells[0] === 'call') header = cells;
    const call = /^`([A-Z]+ \S+)`$/.exec(cells[0] ?? '')?.[1];
    if (call !== undefined) table.set(call, Object.fromEntries(header.map((name, at) => [name, cells[at] ?? ''])));
  }
  return table;
}

function filled(path: string): string {
  return path
    .replace(':organisation', organisation)
    .replace(':domain', site)
    .replace(':person', '1')
    .replace(':product', 'umami')
    .replace(':provider', 'google')
    .replace(/:\w+/g, '1');
}

/** Calls of each kind of permission; a body is made anew for each asker. */
const sample: [call: string, path?: string | undefined, body?: (who: string) => unknown][] = [
  ['GET /api/sites/:domain'],
  ['PATCH /api/sites/:domain', undefined, () => ({ titles: true })],
  ['GET /api/sites/:domain/goals'],
  ['POST /api/sites/:domain/goals', undefined, (who) => ({ kind: 'page', match: `/${who.replace(' ', '-')}` })],
  ['POST /api/sites/:domain/annotations', undefined, (who) => ({ day: '2026-11-01', note: who })],
  [
    'POST /api/sites/:domain/shields',
    undefined,
    (who) => ({ kind: 'path', value: `/${who.replace(' ', '-')}/**`, note: 'a proof' }),
  ],
  ['GET /api/sites/:domain/exports'],
  ['GET /api/keys', '/api/keys'],
  ['POST /api/keys', '/api/keys', (who) => ({ name: who, scopes: ['stats:read'] })],
  ['GET /api/organisations/:organisation'],
  ['GET /api/organisations/:organisation/members'],
  ['GET /api/organisations/:organisation/invitations'],
  ['GET /api/organisations/:organisation/audit', '/api/organisations/1/audit'],
  ['GET /api/sites/:domain/shares'],
  ['GET /api/desk/organisations', '/api/desk/organisations'],
];

/** Something of each kind on a site of its own. @returns their numbers */
async function fill(browser: TestBrowser, domain: string, word: string) {
  const made = async (path: string, body: object): Promise<number> => {
    const { status, text, body: answer } = await browser.send('POST', path, body);
    must(status === 201, `${path} is refused to its own people: ${text}`);
    const inner = (answer.share ?? answer) as { id: number };
    return inner.id;
  };
  const on = `/api/sites/${domain}`;
  return {
    goal: await made(`${on}/goals`, { kind: 'page', match: `/${word}/**` }),
    annotation: await made(`${on}/annotations`, { day: '2026-11-01', note: word }),
    shield: await made(`${on}/shields`, { kind: 'path', value: `/${word}/admin/**`, note: word }),
    share: await made(`${on}/shares`, { name: word, kind: 'public', panels: ['totals'], periods: ['28d'] }),
    key: await made('/api/keys', { name: word, scopes: ['stats:read'] }),
  };
}

/** What the product's own login sees of each table when a query forgets whose rows it wants. @returns how many tables */
async function forgetfulQueries({ tables: { app, owner } }: AccountsDesk): Promise<number> {
  const { rows: tables } = await owner.query<{ name: string }>(
    `SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE CASE WHEN c.relkind = 'r' AND a.attname = 'organisation_id'
       THEN has_column_privilege('fairlead_app', c.oid, a.attnum, 'SELECT') END`,
  );
  const { rows: both } = await app.query<{ id: string }>('SELECT * FROM lookup.every_organisation() AS one(id)');
  must(both.length >= 2, 'There is one organisation only.');
  const seenOf = new Map<string, number>();
  for (const { id } of [...both, { id: '' }]) {
    await app.query('BEGIN');
    await app.query("SELECT set_config('fairlead.organisation', $1, true)", [id]);
    for (const { name } of tables) {
      const { rows } = await app.query<{ organisation_id: string; count: string }>(
        `SELECT organisation_id, count(*) FROM ${name} GROUP BY 1`,
      );
      // The trail of the desk itself belongs to no organisation.
      const strange = rows.filter((row) => both.some((one) => one.id !== id && one.id === String(row.organisation_id)));
      must(strange.length === 0, `A query that forgets its condition sees rows of others in ${name}.`);
      if (rows.length > 0) seenOf.set(name, (seenOf.get(name) ?? 0) + 1);
    }
    await app.query('ROLLBACK');
  }
  for (const name of ['sites', 'goals', 'annotations', 'shields', 'shares', 'api_keys', 'memberships', 'audit.entries'])
    must((seenOf.get(name) ?? 0) >= 2, `An organisation does not see its own rows of ${name}.`);
  return tables.length;
}

/** An export is written in the background: it holds the rows of its own site. */
async function exportJob(shared: AccountsDesk, ours: TestBrowser, rival: TestBrowser): Promise<string> {
  for (const [domain, path] of [
    [site, '/ours-exported'],
    [rivalSite, '/theirs-exported'],
  ] as const) {
    const event = { n: 'pageview', u: `https://${domain}${path}`, d: domain };
    const { status } = await shared.browser().send('POST', '/api/event', event);
    must(status === 202, `An event is not taken: ${status}.`);
  }
  await shared.desk.drained();
  await shared.travel(dayMs);
  for (const browser of [ours, rival]) await browser.send('POST', '/api/sessions/refresh');
  const path = `/api/sites/${site}/exports`;
  const begun = await ours.send('POST', path, { format: 'ndjson' });
  must(begun.status < 300, `No export begins: ${begun.text}`);
  const id = Number((begun.body.id ?? (begun.body.export as { id?: number } | undefined)?.id) as number);
  const file = await until(60, async () => {
    const answer = await ours.send('GET', `${path}/${id}/file`);
    return answer.status === 200 ? answer.text : undefined;
  });
  must((await rival.send('GET', `${path}/${id}/file`)).status === 404, 'Another organisation downloads the export.');
  must(
    (await rival.send('GET', `/api/sites/${rivalSite}/exports/${id}/file`)).status === 404,
    'By its own site it does.',
  );
  must(file.includes('/ours-exported'), 'The export does not hold its own rows.');
  must(!file.includes('/theirs-exported'), 'The export holds rows of another organisation.');
  return 'an export in the background held its own site';
}
