import type { Examples } from './example.ts';

/** Transfers of the organisation to a new controller. */
export const examples: Examples = ({ organisation, asOwner }) => {
  const of = () => `/api/organisations/${organisation()}/transfers`;
  const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
  const wish = () => ({
    ...{
      legal_name: 'Harbour Trading Ltd',
      address: '2 Quay',
      jurisdiction: 'Ireland',
      contact: 'data@harbour.example',
    },
    ...{ registration: '', officer: '', representative: '', authority: '' },
    ...{ why: 'The shop was sold.', effective_on: inDays(40) },
  });
  /** One at a time: what was announced before makes room. */
  const clear = () =>
    asOwner((sql) =>
      sql.query("UPDATE controller_transfers SET state = 'withdrawn', ended_at = now() WHERE state = 'announced'"),
    );
  return {
    'GET /api/organisations/:organisation/transfers': {
      path: of,
      status: 200,
      badParams: [['/api/organisations/x/transfers', 'organisation']],
    },
    'POST /api/organisations/:organisation/transfers': {
      async path() {
        await clear();
        return of();
      },
      body: wish,
      status: 201,
      badValues: [
        ['legal_name', ' '],
        ['address', ''],
        ['contact', ' '],
        ['why', ''],
        ['effective_on', inDays(29)],
        ['effective_on', inDays(400)],
      ],
    },
    'DELETE /api/organisations/:organisation/transfers/:transfer': {
      async path() {
        await clear();
        const { rows } = await asOwner((sql) =>
          sql.query<{ id: string }>(
            `INSERT INTO controller_transfers (organisation_id, state, legal_name, address, jurisdiction, contact, why, effective_on, announced_at, announced_by)
             VALUES ($1, 'announced', 'x', 'x', 'x', 'x', 'x', $2, now(), 1) RETURNING id`,
            [organisation(), inDays(40)],
          ),
        );
        return `${of()}/${rows[0]?.id}`;
      },
      status: 200,
      badParams: [['/api/organisations/1/transfers/0', 'transfer']],
    },
  };
};
