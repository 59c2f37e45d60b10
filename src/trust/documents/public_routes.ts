import { z } from 'zod';
import { type PaperKind, paperKinds, paperNames } from '../../../contract/documents.ts';
import { escapedWords } from '../../platform/http/plain_page.ts';
import { defineRoute, type Route, type RouteAnswer } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { utcDay } from '../../platform/zone.ts';
import { organisationOf, pageAnswer } from '../forms/index.ts';
import { listTransfers } from '../transfers/index.ts';
import { readPolicy } from '../windows/index.ts';
import { optOutPage } from './california.ts';
import type { Receiving } from './facts.ts';
import { partyOf, readFootMarkup, readIdentity } from './identity.ts';
import { changesOf, type ListRow, readLists } from './lists.ts';
import { dayWords, drawnPaper, drawnTable, legalPage, pageHeaders } from './page.ts';
import { holdingOn, readContent, readVersions } from './versions.ts';
import { openPen, partyRows, receiverRows } from './words.ts';

interface Named {
  id: number;
  name: string;
  slug: string;
}
type Shown = Pick<RouteAnswer, 'status' | 'headers' | 'body'>;

/**
 * What anybody may read of an organisation: its documents, and who receives something. Without a script, a cookie or a
 * person; there once the organisation has said who it is, and unknown like any other word before.
 */
export function publicRoutes({ postgres, clock, mail }: Pick<House, 'postgres' | 'clock' | 'mail'>): Route[] {
  const today = () => utcDay(clock.now());
  const notThere: Shown = {
    status: 404,
    headers: pageHeaders,
    body: legalPage('Not here', '<h1>There is no such document here</h1><p>The link may be old or cut short.</p>'),
  };
  const page = (title: string, body: string): Shown => ({
    headers: { ...pageHeaders, 'cache-control': 'no-cache' },
    body: legalPage(title, body),
  });

  /** @param pathOf the page under a name: a former name of the organisation leads to the one of now */
  async function within(
    slug: string,
    pathOf: (slug: string) => string,
    work: (sql: Sql, organisation: Named) => Promise<Shown>,
  ): Promise<Shown> {
    const id = await organisationOf(postgres, slug);
    if (id === undefined) return notThere;
    return postgres.tenant(id, async (sql) => {
      const organisation = await sql.one<Named>('SELECT id, name, slug FROM organisations WHERE id = $1', [id]);
      const { version } = await readIdentity(sql, id);
      if (version === 0) return notThere;
      if (organisation.slug === slug) return work(sql, organisation);
      return { status: 301, headers: { ...pageHeaders, location: pathOf(organisation.slug) }, body: '' };
    });
  }

  const under = (name: string, version: number | undefined) => (slug: string) =>
    `/legal/${slug}/${name}${version === undefined ? '' : `/${version}`}`;

  const footer = (sql: Sql, { id, name, slug }: Named): Promise<string> =>
    readFootMarkup(
      sql,
      id,
      `<p><a href="/legal/${slug}">All documents of ${escapedWords(name)}</a> · <a href="/concern/${slug}">Report a concern</a></p>`,
    );

  /**
   * Who takes over, on which day and why; and who it was before, once that is done.
   * @param publishedAt of a version that is read: one from before the day names who it was then
   */
  async function passing(sql: Sql, { id, name }: Named, publishedAt?: Date): Promise<string> {
    const [newest] = (await listTransfers(sql, id)).filter(({ state }) => state !== 'withdrawn');
    if (newest === undefined) return '';
    const { legal_name, address, contact, effective_on, before_name, why, ended_at } = newest;
    const who = [legal_name, address.replaceAll('\n', ', '), contact].map(escapedWords).join(', ');
    if (newest.state === 'announced')
      return `<div class="w" role="note"><p><b>From ${dayWords(effective_on)} another company answers for ${escapedWords(name)}: ${who}.</b>${before_name === null ? '' : ` Until then ${escapedWords(before_name)} does.`}</p><p>${escapedWords(why)}</p><p>What was promised about data, and every consent, goes along; a consent can be taken back before and after.</p></div>`;
    const since = `Since ${dayWords(effective_on)} ${escapedWords(legal_name)} answers for ${escapedWords(name)}${before_name === null ? '' : `, before that ${escapedWords(before_name)}`}.`;
    if (publishedAt === undefined) return `<p class="q">${since}</p>`;
    if (ended_at === null || publishedAt.getTime() >= Date.parse(ended_at)) return '';
    return `<p class="w">${since} This version is from before that day. What it promises holds on; to ask or to object, write to ${who}.</p>`;
  }

  const list = (slug: string) =>
    within(
      slug,
      (now) => `/legal/${now}`,
      async (sql, organisation) => {
        const versions = await readVersions(sql, organisation.id);
        const lists = await readLists(sql);
        const lines = paperKinds.flatMap((kind) => {
          const all = versions.filter((one) => one.kind === kind);
          const holding = holdingOn(all, today()) ?? all.at(-1);
          return holding === undefined
            ? []
            : [
                `<li><a href="/legal/${organisation.slug}/${kind}">${paperNames[kind]}</a>, version ${holding.version}, from ${dayWords(holding.effective_on)}</li>`,
              ];
        });
        if (lists.length > 0)
          lines.push(`<li><a href="/legal/${organisation.slug}/subprocessors">Who receives something</a></li>`);
        const identity = partyOf(await readIdentity(sql, organisation.id));
        const given = partyRows(openPen(), identity, 'the organisation').filter(
          ([, value]) => !value?.startsWith('[missing'),
        );
        return page(
          `Documents of ${organisation.name}`,
          `<h1>Documents of ${escapedWords(organisation.name)}</h1>${await passing(sql, organisation)}${
            lines.length === 0 ? '<p>None is published yet.</p>' : `<ul>${lines.join('')}</ul>`
          }<h2>Who that is</h2>${drawnTable([''], given, 'Who that is')}${await footer(sql, organisation)}`,
        );
      },
    );

  const paper = (slug: string, kind: PaperKind, wanted: number | undefined) =>
    within(slug, under(kind, wanted), async (sql, organisation) => {
      const versions = await readVersions(sql, organisation.id, kind);
      const holding = holdingOn(versions, today());
      const shown =
        wanted === undefined ? (holding ?? versions.at(-1)) : versions.find(({ version }) => version === wanted);
      if (shown === undefined) return notThere;
      const content = await readContent(sql, organisation.id, kind, shown.version);
      const base = `/legal/${organisation.slug}/${kind}`;
      const coming = versions.find(({ effective_on, version }) => effective_on > today() && version > shown.version);
      return page(
        content.title,
        `<h1>${escapedWords(content.title)}</h1><p class="q">${stateWords(shown, holding, base, today())}</p>${
          coming === undefined || holding?.version !== shown.version
            ? ''
            : `<p class="w"><a href="${base}/${coming.version}">Version ${coming.version}</a> takes its place on ${dayWords(coming.effective_on)}.</p>`
        }${await passing(sql, organisation, shown.published_at)}${drawnPaper(content)}${others(versions, shown.version, base)}${await footer(sql, organisation)}`,
      );
    });

  const receivers = (slug: string, wanted: number | undefined) =>
    within(slug, under('subprocessors', wanted), async (sql, organisation) => {
      const lists = await readLists(sql);
      const holding = holdingOn(lists, today());
      const shown = wanted === undefined ? (holding ?? lists.at(-1)) : lists.find(({ version }) => version === wanted);
      if (shown === undefined) return notThere;
      const base = `/legal/${organisation.slug}/subprocessors`;
      const coming = lists.filter(({ effective_on, version }) => effective_on > today() && version > shown.version);
      return page(
        'Who receives something',
        `<h1>Who receives something of this desk</h1><p class="q">${stateWords(shown, holding, base, today())}</p>${coming
          .map((one) => comingWords(one, lists, base))
          .join('')}${receiverTables(shown)}${others(lists, shown.version, base)}${await footer(sql, organisation)}`,
      );
    });

  const numbered = z.object({
    organisation: z.string().max(64),
    document: z.string().max(64),
    version: z.string().max(9),
  });
  function document(slug: string, name: string, version: number | undefined): Promise<Shown> {
    const kind = paperKinds.find((one) => one === name);
    if (kind !== undefined) return paper(slug, kind, version);
    return name === 'subprocessors' ? receivers(slug, version) : Promise.resolve(notThere);
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/legal/:organisation',
      access: 'public',
      summary: 'A page of the documents of an organisation and who it is, without scripts or cookies.',
      params: numbered.pick({ organisation: true }),
      handle: (request) => list(request.params.organisation),
    }),
    defineRoute({
      method: 'GET',
      path: '/legal/:organisation/:document',
      access: 'public',
      summary: 'The version of a document of an organisation that holds today, or its list of subprocessors.',
      params: numbered.pick({ organisation: true, document: true }),
      handle: ({ params }) => document(params.organisation, params.document, undefined),
    }),
    defineRoute({
      method: 'GET',
      path: '/legal/:organisation/:document/:version',
      access: 'public',
      summary: 'One version of it. Every version that was ever published stays.',
      params: numbered,
      handle: ({ params }) =>
        /^[1-9]\d{0,5}$/.test(params.version)
          ? document(params.organisation, params.document, Number(params.version))
          : Promise.resolve(notThere),
    }),
    defineRoute({
      method: 'GET',
      path: '/opt-out/:organisation',
      access: 'public',
      summary:
        'Behind the link “Do not sell or share my personal information”, where the profile is `us`. Without scripts and cookies.',
      params: numbered.pick({ organisation: true }),
      async handle({ params, headers }) {
        const canMail = await mail.isOn();
        return within(
          params.organisation,
          (now) => `/opt-out/${now}`,
          async (sql, organisation) => {
            if ((await readPolicy(sql, organisation.id)).profile !== 'us') return notThere;
            const { contact } = partyOf(await readIdentity(sql, organisation.id));
            return pageAnswer(
              optOutPage(
                { ...organisation, foot: await readFootMarkup(sql, organisation.id) },
                { signal: headers['sec-gpc'] === '1', contact, canMail },
              ),
            );
          },
        );
      },
    }),
  ];
}

interface Dated {
  version: number;
  effective_on: string;
}

function stateWords(shown: Dated, holding: Dated | undefined, base: string, today: string): string {
  const name = `Version ${shown.version}, from ${dayWords(shown.effective_on)}.`;
  if (shown.effective_on > today) return `${name} It does not hold yet.`;
  if (holding === undefined || holding.version === shown.version) return `${name} It holds today.`;
  return `${name} It does not hold any more: <a href="${base}/${holding.version}">version ${holding.version}</a> does.`;
}

function others(all: readonly Dated[], version: number, base: string): string {
  const rest = all.filter((one) => one.version !== version);
  if (rest.length === 0) return '';
  const line = (one: Dated) =>
    `<li><a href="${base}/${one.version}">Version ${one.version}, from ${dayWords(one.effective_on)}</a></li>`;
  return `<nav aria-label="Other versions"><h2>Other versions</h2><ul>${rest.map(line).join('')}</ul></nav>`;
}

function comingWords(one: ListRow, lists: readonly ListRow[], base: string): string {
  const before = lists.find(({ version }) => version === one.version - 1);
  const { added, removed } = changesOf(before?.receivers ?? [], one.receivers);
  const names = (label: string, all: readonly Receiving[]) =>
    all.length === 0 ? '' : ` ${label}: ${all.map((each) => escapedWords(each.legalName ?? each.label)).join(', ')}.`;
  return `<p class="w"><a href="${base}/${one.version}">Version ${one.version}</a> takes effect on ${dayWords(one.effective_on)}.${names('New', added)}${names('No more', removed)}</p>`;
}

const roles = [
  ['processor', 'Processors', 'They process for the operator of this desk, and by its instructions.'],
  ['controller', 'Others who receive something', 'They answer for it themselves.'],
] as const;

function receiverTables({ receivers }: ListRow): string {
  if (receivers.length === 0)
    return '<p>Nobody. This desk calls nobody but itself and the sites of its organisations.</p>';
  return roles
    .map(([role, title, words]) => {
      const of = receivers.filter((one) => one.role === role);
      if (of.length === 0) return '';
      const rows = receiverRows(of);
      const body = rows
        .map(
          (row, at) =>
            `<tr>${row.map((cell) => `<td>${escapedWords(cell)}</td>`).join('')}<td>${terms(of[at] as Receiving)}</td></tr>`,
        )
        .join('');
      const head = ['who', 'what for', 'what it gets', 'country', 'transfer rests on', 'policy and terms'];
      return `<h2>${title}</h2><p>${words}</p><div class="t" tabindex="0" role="region" aria-label="${title}"><table><thead><tr>${head
        .map((one) => `<th scope="col">${one}</th>`)
        .join('')}</tr></thead><tbody>${body}</tbody></table></div>`;
    })
    .join('');
}

/** Links of others, which go nowhere but to where they say: only https, and told nothing of where one comes from. */
function terms(one: Receiving): string {
  const link = (url: string | null, word: string) =>
    url?.startsWith('https://') ? [`<a rel="noreferrer nofollow" href="${escapedWords(url)}">${word}</a>`] : [];
  const links = [...link(one.policyUrl, 'policy'), ...link(one.termsUrl, 'terms')];
  const read = one.checkedOn === null ? 'not read yet' : `last read on ${dayWords(one.checkedOn)}`;
  return links.length === 0 ? 'not stated' : `${links.join(', ')}; ${read}`;
}
