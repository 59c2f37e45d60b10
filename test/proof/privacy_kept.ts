import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { must, type Proof, type ProofContext } from './kit.ts';
import { played } from './privacy_browser.ts';
import { type Find, leaked, sentenceOf, weakFindsMin } from './scan/scan.ts';
import { mustNotBeFound, scanUsedDesk } from './used_desk.ts';

/** Promises about what a desk keeps, shown on one that was used in every way (see used_desk.ts). */
export const proofs: readonly Proof[] = [
  {
    id: 'PSE-04',
    title: 'A client address is stored nowhere: not in tables, logs, queues, files or backups, in no form.',
    minutes: 2,
    async run(context) {
      const { desk, found } = await scanUsedDesk(context);
      const { addresses } = desk.canaries;
      // Who opens a page or makes a call is on the account plane, whose access log is the one place of its address (R5).
      // The backup is a copy of all files, so what is in that log is in it too, and nothing else is only there.
      const isLogged = ({ group, file }: Find) =>
        (group === 'pages' || group === 'accounts') && /\baccess\/\d{4}-\d\d-\d\d\.ndjson$|\/backup\.tar$/.test(file);
      const finds = found.finds.filter((find) => addresses.has(find.group) && !isLogged(find));
      for (const way of ['pages', 'accounts'])
        must(
          found.finds.some((find) => find.group === way && isLogged(find)),
          'The access log does not know who opened a page or signed in.',
        );
      const { certain, chance } = leaked(finds);
      must(certain.length === 0, `An address was kept: ${sentenceOf(certain)}`);
      must(desk.sent >= 10_000, `Only ${desk.sent} events were sent.`);
      const perWay = [...addresses.keys()].map(
        (way) => new Set(chance.filter(({ group }) => group === way).map(({ canary }) => canary)).size,
      );
      const megabytes = Math.round(found.bytesLooked / 1e6);
      return `${desk.sent} events from ${32 * addresses.size} addresses by ${addresses.size} ways; none in ${found.files} files, ${megabytes} MB unpacked; in 4 bytes at most ${Math.max(...perWay)} of a way's 16, where ${weakFindsMin} are evidence`;
    },
    sabotage: {
      name: 'the address is written into the title of the row',
      file: 'src/analytics/ingest/steps.ts',
      find: "title: site.titles ? input.title : '',",
      replace: 'title: arrival.address,',
    },
  },
  {
    id: 'PSE-07',
    title: 'The salt is in its own file and nowhere else: not in tables, logs, backups or core files.',
    async run(context) {
      const { found } = await scanUsedDesk(context);
      mustNotBeFound(found, 'salt', 'The salt was found outside of its file');
      must(coreLimit(context.root) === '0', `A crash would write a core file (limit ${coreLimit(context.root)}).`);
      return `the salt of the day, whole and in halves, in none of ${found.files} files; no core file can be written`;
    },
    sabotage: {
      name: 'the salts lie in the data directory',
      file: 'src/analytics/ingest/running.ts',
      find: "return join(dirname(config.keyFile), 'visitor.salts');",
      replace: "return join(dirname(config.keyFile), '../data/visitor.salts');",
    },
  },
  {
    id: 'COL-13',
    title: 'The raw User-Agent is not stored, only what was read from it.',
    async run(context) {
      const { desk, found } = await scanUsedDesk(context);
      mustNotBeFound(found, 'User-Agent', 'A word of the User-Agent was kept');
      return `a word in ${desk.sent} User-Agents, in none of ${found.files} files`;
    },
    sabotage: {
      name: 'the User-Agent is kept as the version of the browser',
      file: 'src/analytics/ingest/steps.ts',
      find: 'arrival.known?.agent ?? readAgent(arrival.userAgent, arrival.headers as AgentHeaders | undefined),',
      replace:
        '{ ...readAgent(arrival.userAgent, arrival.headers as AgentHeaders | undefined), browser_version: arrival.userAgent },',
    },
  },
  {
    id: 'COL-19',
    title: 'Of query strings only campaign parameters and the kind of a click id are kept.',
    async run(context) {
      const { desk, found } = await scanUsedDesk(context);
      mustNotBeFound(found, 'query', 'A part of an address that is dropped was kept');
      return `${desk.canaries.queries.length} kinds of tokens, e-mail addresses, click ids and passwords in addresses, in none of ${found.files} files; the campaign is there`;
    },
    sabotage: {
      name: 'the query stays at the path of the page',
      file: 'src/analytics/ingest/page.ts',
      find: 'return { hostname, pathname, search: url.search };',
      replace: 'return { hostname, pathname: pathname + url.search, search: url.search };',
    },
  },
  {
    id: 'COL-11',
    title: 'The address of a mail link is neither sent nor stored unless the site has switched that on.',
    minutes: 3,
    run: (context) => contactStays(context, 'COL-11', 'mail address'),
    sabotage: {
      name: 'the tracker sends the address without the switch',
      file: 'sdk/src/tracker.ts',
      find: "contact: 'contact' in data,",
      replace: 'contact: true,',
    },
  },
  {
    id: 'COL-12',
    title: 'The number of a phone link is neither sent nor stored unless the site has switched that on.',
    minutes: 3,
    run: (context) => contactStays(context, 'COL-12', 'phone number'),
    sabotage: {
      name: 'the desk leaves numbers and addresses among the properties',
      file: 'src/analytics/ingest/payload.ts',
      find: "if (isClick ? key === 'value' || holdsContact(worth) || holdsContact(key) : isContactLink(worth)) {",
      replace: 'if (false) {',
    },
  },
  {
    id: 'COL-16',
    title: 'Amounts and order ids are not stored where the site keeps no revenue.',
    async run(context) {
      const { found } = await scanUsedDesk(context);
      mustNotBeFound(found, 'revenue', 'Revenue of a site that keeps none was found');
      return `125 purchases on a site without revenue: order id and amount in none of ${found.files} files; that of another site is there`;
    },
    sabotage: {
      name: 'the switch is not asked',
      file: 'src/analytics/ingest/steps.ts',
      find: 'if (revenue === undefined || !arrival.site.revenue) return undefined;',
      replace: 'if (revenue === undefined) return undefined;',
    },
  },
];

/** How large a core file of a program may get that the launcher of `npm start` has started. */
function coreLimit(root: string): string {
  const launcher = JSON.stringify(join(root, 'scripts', 'programs.cjs'));
  const start = `require(${launcher}).become('/bin/sh', ['-c', 'ulimit -c'], process.env)`;
  return execFileSync(process.execPath, ['-e', start], { encoding: 'utf8' }).trim();
}

/** In the browser it does not leave the page; sent by a tracker that does not ask, the desk does not keep it. */
async function contactStays(context: ProofContext, id: string, kind: string): Promise<string> {
  const { faults } = await played(context);
  const [fault] = faults.filter((one) => one.id === id);
  must(fault === undefined, fault?.fact ?? '');
  const { found } = await scanUsedDesk(context);
  mustNotBeFound(found, kind, 'It was kept though the site has not switched that on');
  return `the ${kind} of a clicked link did not leave the page; sent all the same, it is in none of ${found.files} files`;
}
