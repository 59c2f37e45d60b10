import { secondFactorSetting } from '../../../contract/people.ts';
import { actOf } from '../../platform/audit.ts';
import { defineRoute, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { organisationOfPath } from '../organisations/found.ts';
import { ofOrganisation } from '../organisations/parts.ts';
import type { People } from './parts.ts';

type Rule = { required: 'off' | 'managers' | 'all' };

/** Who must have a second factor in an organisation. */
export function ruleRoutes({ house }: Pick<People, 'house'>): Route[] {
  const { postgres, clock, audit } = house;
  const read = (sql: Sql, id: number) =>
    sql.one<Rule>('SELECT second_factor AS required FROM organisations WHERE id = $1', [id]);
  return [
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/second-factor',
      access: 'organisation.read',
      summary: 'Who must have a second factor in an organisation: nobody, owners and admins, or everybody.',
      params: ofOrganisation,
      answer: secondFactorSetting,
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        return { body: await postgres.tenant(id, (sql) => read(sql, id)) };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/organisations/:organisation/second-factor',
      access: 'organisation.manage',
      summary: 'Says who must have a second factor. Whoever has none gets seven days from now on.',
      params: ofOrganisation,
      body: secondFactorSetting,
      answer: secondFactorSetting,
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        const { required } = request.body;
        await postgres.tenant(id, async (sql) => {
          // Saying the same again gives nobody further days.
          const changed = await sql.run(
            'UPDATE organisations SET second_factor = $2, second_factor_since = $3 WHERE id = $1 AND second_factor <> $2',
            [id, required, new Date(clock.now())],
          );
          if (changed === 0) return;
          await audit.record(sql, id, {
            action: 'organisation.changed',
            ...actOf(request),
            targets: [{ type: 'organisation', id }],
            details: { second_factor: required },
          });
        });
        return { body: { required } };
      },
    }),
  ];
}
