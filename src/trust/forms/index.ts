import { escapedWords, plainPages } from '../../platform/http/plain_page.ts';
import { RequestError, type RouteAnswer } from '../../platform/http/route.ts';
import type { Postgres } from '../../platform/postgres/index.ts';

/** Pages with a form for whoever is no customer of this desk: what they share. */
const style =
  ':root{color-scheme:light dark}body{font:16px/1.6 system-ui,sans-serif;max-width:36rem;margin:8vh auto;padding:0 1.25rem;background:Canvas;color:CanvasText;overflow-wrap:anywhere}h1{font-size:1.5rem;line-height:1.3}label{display:block;margin-top:1em}input,select,textarea,button{font:inherit;padding:.5rem .7rem;border:1px solid;border-radius:.4rem;max-width:100%;box-sizing:border-box}input,select,textarea{width:100%}textarea{resize:vertical}button{margin-top:1.25em;cursor:pointer}.q{opacity:.8}';
const pages = plainPages(style, 'self');

/** Of a form that goes to this desk and nowhere else; kept by nobody and listed nowhere. */
export const publicHeaders: Readonly<Record<string, string>> = {
  ...pages.headers,
  'cache-control': 'no-store',
  'x-robots-tag': 'noindex',
};

/** Whose page it is: its name, and who answers for it, as markup for the foot. */
export interface Answering {
  name: string;
  foot: string;
}

/**
 * @param body markup in which every value is escaped
 * @param foot of whoever answers, as markup
 */
export const publicPage = (title: string, body: string, foot = '') =>
  pages.page(title, `<h1>${escapedWords(title)}</h1>${body}${foot}`);

export const wrongPage = (what: string) =>
  publicPage('Not sent', `<p>${escapedWords(what)} Go back and try again.</p>`);
export const nobodyPage = publicPage(
  'Nobody here',
  '<p>There is no organisation of this name. The link may be cut short.</p>',
);

export function pageAnswer(body: string, status = 200): RouteAnswer {
  return { status, headers: { ...publicHeaders }, body };
}

/**
 * A page that was asked for under a former name of its organisation. What is sent from one that was opened before the
 * rename is still taken under that name: a redirect would lose what was written.
 */
export function movedAnswer(location: string): RouteAnswer {
  return { status: 301, headers: { ...publicHeaders, location }, body: '' };
}

/** What a browser sends of a form, as it was written. */
export function fieldsOf(body: unknown): Record<string, string> {
  return Object.fromEntries(new URLSearchParams((body as Buffer | undefined)?.toString('utf8') ?? ''));
}

/** The organisation that a path names by its slug; undefined for nobody. */
export async function organisationOf(postgres: Pick<Postgres, 'system'>, slug: string): Promise<number | undefined> {
  if (!/^[a-z0-9-]{1,64}$/.test(slug)) return undefined;
  const found = await postgres.system((sql) =>
    sql.maybe<{ organisation_id: number | null }>('SELECT organisation_id FROM lookup.organisation_by_slug($1)', [
      slug,
    ]),
  );
  return found?.organisation_id ?? undefined;
}

/**
 * Who sends too often reads why on a page: a form without scripts shows whatever comes back.
 * @param rest markup below it, such as the form with what was written
 */
export async function unlessTooOften(work: () => Promise<RouteAnswer>, rest = () => ''): Promise<RouteAnswer> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof RequestError) || error.code !== 'rate_limited') throw error;
    const wait = Number(error.headers['retry-after'] ?? 3_600);
    const minutes = Math.ceil(wait / 60);
    const when =
      minutes > 90 ? `${Math.ceil(minutes / 60)} hours` : `${minutes} ${minutes === 1 ? 'minute' : 'minutes'}`;
    const page = pageAnswer(
      publicPage(
        'Too many at once',
        `<p>Nothing was sent: more forms came than are read in this time. A limit keeps one sender from filling a register that others need. Try again in ${when}.</p>${rest()}`,
      ),
      429,
    );
    return { ...page, headers: { ...page.headers, 'retry-after': String(wait) } };
  }
}
