import type { Examples } from './example.ts';

/** Archives of the whole organisation. */
export const examples: Examples = ({ organisation, call, people, asOwner }) => {
  const of = () => `/api/organisations/${organisation()}/archives`;
  /** Made once: fetching one takes nothing away. */
  let made: Promise<number> | undefined;
  async function done(): Promise<number> {
    const { body } = await call('POST', of(), people.owner);
    for (;;) {
      const { archives } = (await call('GET', of(), people.owner)).body as {
        archives?: { id: number; state: string }[];
      };
      if (archives?.find(({ id }) => id === body.id)?.state === 'done') return Number(body.id);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  const row = () =>
    asOwner(async (sql) => {
      const { rows } = await sql.query<{ id: string }>(
        `INSERT INTO organisation_archives (organisation_id, state, key_sealed, created_by, created_at, finished_at, expires_at)
         VALUES ($1, 'failed', '', 1, now(), now(), now() + interval '1 day') RETURNING id`,
        [organisation()],
      );
      return Number(rows[0]?.id);
    });
  const empty = () => asOwner(async (sql) => void (await sql.query('DELETE FROM organisation_archives')));
  return {
    'GET /api/organisations/:organisation/archives': {
      path: of,
      status: 200,
      badParams: [['/api/organisations/x/archives', 'organisation']],
    },
    'GET /api/organisations/:organisation/archives/:archive/file': {
      async path() {
        made ??= done();
        return `${of()}/${await made}/file`;
      },
      status: 200,
      badParams: [['/api/organisations/1/archives/x/file', 'archive']],
    },
    'POST /api/organisations/:organisation/archives': {
      async path() {
        await empty();
        made = undefined;
        return of();
      },
      status: 201,
    },
    'DELETE /api/organisations/:organisation/archives/:archive': {
      path: async () => `${of()}/${await row()}`,
      status: 204,
      badParams: [['/api/organisations/1/archives/0', 'archive']],
    },
  };
};
