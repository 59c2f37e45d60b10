import { type AccountsDesk, accountsDesk, site } from './drivers/accounts_desk.ts';
import { until } from './drivers/desk.ts';
import { CannotProve, load, must, type Proof } from './kit.ts';

/** Promises about what the trail of a real desk says. */

interface Line {
  entry: string;
  action: string;
  outcome: string;
  reason: string | null;
}

/** Every line of every trail of the desk, as it is stored. */
async function linesOf({ tables }: AccountsDesk): Promise<Line[]> {
  return (await tables.rowsOf('audit.entries')) as unknown as Line[];
}

/** The number of the first organisation, by which its trail is asked for. */
async function numberOf({ tables }: AccountsDesk): Promise<number> {
  const rows = (await tables.dump()).get('organisations') ?? [];
  const found = rows.find(({ slug }) => slug === 'shop');
  if (found === undefined) throw new CannotProve('There is no organisation.');
  return Number(found.id);
}

type Known = ReadonlySet<string>;

/** What stands in the trails so far: by its ids, since a table gives its rows in no order. */
async function known(desk: AccountsDesk): Promise<Known> {
  return new Set((await linesOf(desk)).map(({ entry }) => entry));
}

async function linesSince(desk: AccountsDesk, before: Known): Promise<Line[]> {
  return (await linesOf(desk)).filter(({ entry }) => !before.has(entry));
}

/** What is written behind the answer comes a moment later. */
async function lineOf(desk: AccountsDesk, before: Known, action: string): Promise<Line | undefined> {
  return until(20, async () => (await linesSince(desk, before)).find((line) => line.action === action)).catch(
    () => undefined,
  );
}

export const proofs: readonly Proof[] = [
  {
    id: 'AUD-03',
    title: 'Whoever looks at contact values or at the audit log, or takes it along, leaves a line in the trail.',
    async run(context) {
      const desk = await accountsDesk(context);
      const owner = await desk.owner();
      const views = [
        [`/api/sites/${site}/contact-clicks`, 'contact_clicks.viewed'],
        [`/api/organisations/${await numberOf(desk)}/audit`, 'audit.viewed'],
        [`/api/organisations/${await numberOf(desk)}/audit/export?format=csv`, 'audit.exported'],
      ] as const;
      for (const [path, action] of views) {
        const before = await known(desk);
        const { status } = await owner.send('GET', path);
        if (status !== 200) throw new CannotProve(`${path} answers ${status}.`);
        must((await lineOf(desk, before, action)) !== undefined, `${path} left no ${action} in the trail.`);
      }
      const before = await known(desk);
      const viewer = (await desk.newPerson('viewer')).browser;
      for (const [path] of views) must((await viewer.send('GET', path)).status === 404, `A viewer gets ${path}.`);
      const seen = (await linesSince(desk, before)).filter(({ action }) => views.some(([, one]) => one === action));
      must(seen.length === 0, 'What was refused stands there as seen.');
      return `${views.length} views, a line for each; who may not look gets nothing and is not said to have looked`;
    },
    sabotage: {
      name: 'who looks at contact values is written down as something else',
      file: 'src/analytics/contact_clicks.ts',
      find: "action: 'contact_clicks.viewed',",
      replace: "action: 'site.changed',",
    },
  },
  {
    id: 'AUD-04',
    title:
      'An owner takes the trail of the organisation along, and it verifies elsewhere; one that was cut or changed does not.',
    async run(context) {
      const desk = await accountsDesk(context);
      const owner = await desk.owner();
      const trail = `/api/organisations/${await numberOf(desk)}/audit`;
      const { text, status } = await owner.send('GET', `${trail}/export?format=ndjson`);
      if (status !== 200) throw new CannotProve(`The export answers ${status}.`);
      const lines = text.trim().split('\n');
      const publicKey = String((await owner.send('GET', `${trail}/chain`)).body.public_key);
      const { verifyBundle } = await load<typeof import('../../src/trust/audit/bundle.ts')>(
        context,
        'src/trust/audit/bundle.ts',
      );
      async function* streamed(changed: readonly string[]) {
        yield* changed;
      }
      const seen = (changed: readonly string[]) => verifyBundle(streamed(changed), { publicKey });
      const whole = await seen(lines);
      must(whole.findings.length === 0, `The export does not verify: ${whole.findings[0]?.sentence}`);
      must(whole.entries > 5 && text.includes('"audit.exported"'), 'The export is not the whole trail.');
      const last = lines.length - 2;
      const before = JSON.parse(lines[last - 1] as string) as { seq: number; hash: string };
      const cut = [
        JSON.stringify({ ...JSON.parse(lines[0] as string), head: { seq: before.seq, hash: before.hash } }),
        ...lines.slice(1, last),
        JSON.stringify({ end: whole.entries - 1 }),
      ];
      const changes: [what: string, lines: string[]][] = [
        ['an entry that was changed', lines.with(last, (lines[last] as string).replace('"done"', '"failed"'))],
        ['an entry that is gone', lines.toSpliced(last - 1, 1)],
        ['an end that was cut off', cut],
      ];
      for (const [what, changed] of changes)
        must((await seen(changed)).findings.length > 0, `The verifier says nothing of ${what}.`);
      const rival = await desk.rival();
      const { status: refused } = await rival.send('GET', `${trail}/export?format=ndjson`);
      must(refused === 404, `Another organisation gets the trail: ${refused}.`);
      return `${whole.entries} entries by the call that owners use, verified without the desk; ${changes.map(([what]) => what).join(', ')}: each detected`;
    },
    sabotage: {
      name: 'what is exported is not signed first',
      file: 'src/trust/audit/routes.ts',
      find: 'if (keeps) await keeper.checkpoint();',
      replace: '',
    },
  },
  {
    id: 'AUD-05',
    title:
      'Each sign-in that succeeds and each that fails is in the trail, and no password or token in trail, log or output.',
    async run(context) {
      const desk = await accountsDesk(context);
      const person = await desk.newPerson('viewer', { password: 'canary seven lanterns 4711' });
      const wrong = 'canary eight lanterns 4712';
      let before = await known(desk);
      const browser = await desk.signIn(person);
      const done = await lineOf(desk, before, 'session.started');
      must(done?.outcome === 'done', 'The sign-in that succeeded is not in the trail.');
      before = await known(desk);
      const refused = await desk.browser().send('POST', '/api/sessions', { email: person.email, password: wrong });
      must(refused.status === 401, `A wrong password is answered with ${refused.status}.`);
      const failed = await lineOf(desk, before, 'session.refused');
      must(failed?.outcome === 'refused', 'The sign-in that failed is not in the trail.');
      const rows = JSON.stringify([...(await desk.tables.dump())], (_key, value) =>
        Buffer.isBuffer(value) ? value.toString('latin1') : value,
      );
      const secrets = [person.password, wrong, ...browser.cookies.values()];
      for (const secret of secrets) {
        must(!desk.desk.output().includes(secret), 'A password or token was printed.');
        must(!rows.includes(secret), 'A password or token lies in a row.');
      }
      return `a success and a failure, a line each; ${secrets.length} passwords and tokens in no row of the database and no line of the log`;
    },
    sabotage: {
      name: 'a wrong password is not written down',
      file: 'src/accounts/people/sign_in_routes.ts',
      find: 'personId === undefined ? refusedUnknown(name, request) : refused(personId, request),',
      replace: 'personId === undefined ? refusedUnknown(name, request) : Promise.resolve(),',
    },
  },
];
