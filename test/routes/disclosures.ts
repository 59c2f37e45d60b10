import type { Examples } from './example.ts';

/** The register of disclosures to authorities. */
export const examples: Examples = ({ organisation, call, people }) => {
  const of = () => `/api/organisations/${organisation()}/disclosures`;
  const demand = () => ({
    ...{ authority: 'Police of the harbour', reference: 'H 12/26', ground: 'Code of procedure, section 100' },
    ...{ classes: ['D7'], scope: 'Sign-ins of one account in October.', asked_on: '2026-11-02' },
  });
  /** Made once: a note takes nothing away. */
  let entered: Promise<string> | undefined;
  async function enter(): Promise<string> {
    const made = async () => String((await call('POST', of(), people.owner, demand())).body.id);
    const add = (id: string, kind: string) =>
      call('POST', `${of()}/${id}/entries`, people['privacy-officer'], { kind, said: 'As counsel says.' });
    await add(await made(), 'refused');
    const id = await made();
    for (const kind of ['allowed', 'disclosed', 'untold', 'told']) await add(id, kind);
    return id;
  }
  return {
    'GET /api/organisations/:organisation/disclosures': {
      path: of,
      status: 200,
      badParams: [['/api/organisations/1/disclosures?before=first', 'before']],
    },
    'POST /api/organisations/:organisation/disclosures': {
      path: of,
      body: demand,
      status: 201,
      badValues: [
        ['authority', ' '],
        ['ground', ''],
        ['classes', ['D99']],
        ['scope', ' '],
        ['asked_on', '2999-01-01'],
      ],
    },
    'POST /api/organisations/:organisation/disclosures/:disclosure/entries': {
      async path() {
        entered ??= enter();
        return `${of()}/${await entered}/entries`;
      },
      body: () => ({ kind: 'noted', said: 'The officer called back.' }),
      status: 201,
      badValues: [
        ['kind', 'forgotten'],
        ['said', ' '],
      ],
    },
  };
};
