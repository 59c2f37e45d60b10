import { pageOpened, usageAnswer, usageChange } from '../../../contract/usage.ts';
import { actOf } from '../../platform/audit.ts';
import { defineRoute, type Route } from '../../platform/http/route.ts';
import type { House } from '../../platform/subject.ts';
import { lines, spanWords } from '../windows/index.ts';
import { countUse, isCounted, isSwitchedOn, readUsage } from './counts.ts';

export function usageRoutes({ postgres, clock, audit }: Pick<House, 'postgres' | 'clock' | 'audit'>): Route[] {
  async function answer() {
    const line = lines.find(({ name }) => name === 'product-usage');
    return {
      is_on: await postgres.system(isSwitchedOn),
      ...{ class: line?.class ?? '', kept: line?.kept === undefined ? '' : spanWords(line.kept) },
      ...(await readUsage(postgres, clock.now())),
    };
  }

  return [
    defineRoute({
      method: 'POST',
      path: '/api/usage/pages',
      access: 'organisation.read',
      summary:
        'Counts a page of the dashboard that was opened, and what its address narrows, where who opened it has agreed to that; else does nothing.',
      body: pageOpened,
      async handle({ principal, allow, body }) {
        allow(body.organisation);
        // A key opens no page.
        if (principal?.kind === 'person') {
          const { id } = principal;
          if (await postgres.person(id, (sql) => isCounted(sql, id)))
            await countUse(postgres, {
              ...{ organisationId: body.organisation, nowMs: clock.now() },
              used: [
                ...(body.is_new ? [{ kind: 'page' as const, name: body.page }] : []),
                ...[...new Set(body.features)].map((name) => ({ kind: 'feature' as const, name })),
              ],
            });
        }
        return { status: 204 };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/usage',
      access: 'operator',
      summary: 'How the product was used in the last 30 days: pages, features, days, organisations. Nobody is in it.',
      answer: usageAnswer,
      handle: async () => ({ body: await answer() }),
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/usage',
      access: 'operator',
      summary:
        'Switches the count of pages and features on or off, for the whole desk. What was counted stays until its window is over.',
      body: usageChange,
      answer: usageAnswer,
      async handle(request) {
        const { is_on: isOn } = request.body;
        await postgres.system(async (sql) => {
          await sql.run(
            `INSERT INTO product_usage_settings (id, is_on, changed_at) VALUES (1, $1, $2)
             ON CONFLICT (id) DO UPDATE SET is_on = $1, changed_at = $2`,
            [isOn, new Date(clock.now())],
          );
          await audit.record(sql, 'desk', {
            ...{ action: 'operator.usage_switched', ...actOf(request) },
            details: { on: isOn },
          });
        });
        return { body: await answer() };
      },
    }),
  ];
}
