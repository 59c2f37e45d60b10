import type { Examples } from './example.ts';

/** Shares of a site, and the pages that their links open. */
export const examples: Examples = ({ site, people, next, call }) => {
  const path = `/api/sites/${site}/shares`;
  const newShare = () => ({ name: `share ${next()}`, kind: 'public', panels: ['totals'], periods: ['28d'] });
  const preview = `/api/sites/${site}/share-preview`;
  /** Not more than a site may have: each is made once, and revoked by the example that revokes. */
  const kept = new Map<string, { id: number; link: string }>();
  async function make(more: object = {}): Promise<{ id: number; link: string }> {
    const { body, text, status } = await call('POST', path, people.owner, { ...newShare(), ...more });
    if (status !== 201) throw new Error(text);
    return { id: (body.share as { id: number }).id, link: new URL(String(body.link)).pathname };
  }
  async function keep(name: string, more: object = {}): Promise<{ id: number; link: string }> {
    const found = kept.get(name) ?? (await make(more));
    kept.set(name, found);
    return found;
  }
  const widget = { kind: 'widget', hosts: ['www.shop.example'] };
  /** Those made by `POST` are revoked again, since a site has at most fifty. */
  async function room(): Promise<void> {
    const { body } = await call('GET', path, people.owner);
    const kepts = [...kept.values()].map(({ id }) => id);
    for (const { id } of body.shares as { id: number }[])
      if (!kepts.includes(id)) await call('DELETE', `${path}/${id}`, people.owner);
  }
  return {
    'GET /api/sites/:domain/shares': {
      path: async () => {
        // It comes first in the table: those after it then change nothing by being prepared.
        await Promise.all([keep('patched'), keep('replaced')]);
        return path;
      },
      status: 200,
    },
    'POST /api/sites/:domain/shares': {
      path: async () => {
        await room();
        return path;
      },
      body: newShare,
      status: 201,
      badValues: [
        ['name', ' '],
        ['name', 'a\u0000b'],
        ['name', 'x'.repeat(81)],
        ['kind', 'private'],
        ['panels', []],
        ['panels', ['everything']],
        ['periods', []],
        ['periods', ['all']],
        ['expires_on', '2026-02-30'],
        ['expires_on', '2020-01-01'],
        ['password', 'a long enough word'],
        ['hosts', ['www.shop.example']],
      ],
    },
    'PATCH /api/sites/:domain/shares/:id': {
      path: async () => `${path}/${(await keep('patched')).id}`,
      body: () => ({ name: 'another name', panels: ['totals', 'pages'] }),
      status: 200,
      badParams: [
        [`${path}/first`, 'id'],
        [`${path}/0`, 'id'],
      ],
      badValues: [
        ['panels', ['everything']],
        ['periods', []],
        ['expires_on', '2020-01-01'],
        ['password', 'short'],
        ['hosts', ['www.shop.example']],
      ],
    },
    'POST /api/sites/:domain/shares/:id/links': {
      path: async () => `${path}/${(await keep('replaced')).id}/links`,
      status: 201,
      badParams: [[`${path}/0/links`, 'id']],
    },
    'DELETE /api/sites/:domain/shares/:id': {
      path: async () => `${path}/${(await make()).id}`,
      status: 204,
      badParams: [[`${path}/first`, 'id']],
    },
    'GET /api/sites/:domain/share-preview': {
      path: () => `${preview}?kind=public&panels=totals,pages&periods=7d`,
      status: 200,
      badParams: [
        [`${preview}?kind=public&panels=everything&periods=7d`, 'panels'],
        [`${preview}?kind=widget&panels=pages&periods=7d`, 'panels'],
        [`${preview}?kind=public&panels=totals&periods=all`, 'periods'],
        [`${preview}?kind=public&panels=totals&periods=7d&filters=x`, 'filters'],
      ],
    },
    'GET /share/assets/style.css': { path: () => '/share/assets/style.css', status: 200 },
    'GET /share/:token': { path: async () => (await keep('public')).link, status: 200 },
    'POST /share/:token': {
      path: async () => (await keep('password', { kind: 'password', password: 'quiet harbour' })).link,
      // It comes without a password.
      status: 400,
    },
    'GET /share/:token/widget': { path: async () => (await keep('widget', widget)).link, status: 200 },
  };
};
