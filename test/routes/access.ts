import type { Examples } from './example.ts';

/** The quarterly review of access. */
export const examples: Examples = ({ organisation, call, people }) => {
  const of = () => `/api/organisations/${organisation()}/access-reviews`;
  let begun: Promise<string> | undefined;
  let owner = { id: 0, gives: '' };
  const review = () => {
    begun ??= (async () => {
      await call('POST', of(), people.owner, {});
      const { reviews } = (await call('GET', of(), people.owner)).body as unknown as { reviews: { id: number }[] };
      const path = `${of()}/${reviews[0]?.id}`;
      const { lines } = (await call('GET', path, people.owner)).body as unknown as {
        lines: { kind: string; id: number; gives: string }[];
      };
      const line = lines.find(({ kind }) => kind === 'member');
      owner = { id: Number(line?.id), gives: String(line?.gives) };
      return path;
    })();
    return begun;
  };
  return {
    'GET /api/organisations/:organisation/access-reviews': { path: of, status: 200 },
    // The review of this quarter has begun: by the example below, or by itself.
    'POST /api/organisations/:organisation/access-reviews': {
      async path() {
        await review();
        return of();
      },
      body: () => ({}),
      status: 409,
    },
    'GET /api/organisations/:organisation/access-reviews/:review': {
      path: review,
      status: 200,
      badParams: [['/api/organisations/1/access-reviews/x', 'review']],
    },
    'POST /api/organisations/:organisation/access-reviews/:review/decisions': {
      path: async () => `${await review()}/decisions`,
      body: () => ({ decisions: [{ kind: 'member', ...owner, decision: 'confirmed' }] }),
      status: 201,
      badValues: [
        ['decisions', []],
        ['decisions', [{ kind: 'door', id: 1, decision: 'confirmed', gives: 'x' }]],
        ['decisions', [{ kind: 'key', id: 1, decision: 'kept', gives: 'x' }]],
      ],
    },
  };
};
