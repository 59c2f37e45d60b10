import { creditChange, creditLimits, creditMicro } from '../../contract/credits.ts';
import { findOrganisation } from '../accounts/index.ts';
import type { DeliveryCredits } from '../platform/credits.ts';
import { RequestError } from '../platform/http/route.ts';
import type { Remind } from '../platform/reminder.ts';
import type { House, RunningSubject } from '../platform/subject.ts';
import { creditExecutors } from './credits/ageing.ts';
import { creditCheck } from './credits/check.ts';
import { changeCredits } from './credits/grants.ts';
import { readCredits } from './credits/read.ts';
import { type Change, creditRoutes } from './credits/routes.ts';
import { sendingCosts } from './credits/sending.ts';
import { type CreditNotice, watchCredits } from './credits/upkeep.ts';

export const billingMigrations = new URL('./migrations/', import.meta.url);

export interface Billing extends RunningSubject {
  /** For the house; undefined while the operator has credits off, so that whoever sends asks nothing. */
  credits: DeliveryCredits | undefined;
}

/**
 * Credits: one for each delivery that its platform accepted (BIL-03). The relay is handed what charges, and does so in the
 * transaction in which a delivery becomes accepted. Opened before it, as what the house has.
 */
export function openBilling(
  house: Omit<House, 'authenticate'>,
  notices: { readonly remind: Remind<CreditNotice> },
): Billing {
  const { config, postgres, clock, log } = house;
  const isOn = config.credits === true;
  const works = config.role === 'all' || config.role === 'work';
  const answers = config.role === 'all' || config.role === 'app';
  const listeners = new Set<Parameters<DeliveryCredits['onAdded']>[0]>();
  const stop = isOn && works ? watchCredits({ postgres, clock, log }, notices.remind) : () => {};

  /** What waited for credits goes on when they are there; if that fails, it does so with its next look. */
  const change: Change = async (organisationId, wish, by) => {
    const changed = await changeCredits(house, organisationId, wish, by);
    if (changed.isNew && wish.credits > 0)
      for (const work of listeners)
        await work(organisationId, Math.floor(changed.available / creditMicro)).catch((error) =>
          log.error('credits.not_told', { organisation: organisationId }, error),
        );
    return changed;
  };

  return {
    credits: !isOn
      ? undefined
      : {
          ...sendingCosts(house),
          onAdded(work) {
            listeners.add(work);
            return () => listeners.delete(work);
          },
        },
    routes: answers ? creditRoutes(house, change) : [],
    executors: creditExecutors(postgres),
    checks: [creditCheck(house)],
    commands: {
      /** `organisation` is its name in addresses; without `credits` it is only read. */
      async credits(args) {
        const organisationId = await organisationOf(args.get('organisation') ?? '');
        if (args.has('credits')) {
          const wish = creditChange.safeParse({
            credits: Number(args.get('credits')),
            ...Object.fromEntries(
              ['expires_on', 'reference', 'key'].flatMap((name) => (args.has(name) ? [[name, args.get(name)]] : [])),
            ),
          });
          if (!wish.success)
            throw new RequestError('invalid_field', 'Write credits as a whole number, and a day as 2027-11-30.', {
              field: String(wish.error.issues[0]?.path[0] ?? 'credits'),
            });
          await change(organisationId, wish.data, { actor: { type: 'operator' } });
        }
        const asked = { period: '7d', isOn, now: clock.now() } as const;
        const { balance, state, used_last_days } = await postgres.tenant(organisationId, (sql) =>
          readCredits(sql, organisationId, asked),
        );
        const credits = Object.fromEntries(
          Object.entries(balance).map(([account, micro]) => [account, micro / creditMicro]),
        );
        return {
          ...{ organisation: args.get('organisation'), credits: isOn ? 'on' : 'off', state, ...credits },
          [`used_in_${creditLimits.lowDays}_days`]: used_last_days / creditMicro,
        };
      },
    },
    async stop() {
      stop();
    },
  };

  async function organisationOf(name: string): Promise<number> {
    const id = await findOrganisation(postgres, name);
    const there =
      id !== undefined &&
      (await postgres.tenant(id, (sql) => sql.query('SELECT 1 FROM organisations WHERE id = $1', [id]))).length > 0;
    if (!there) throw new RequestError('not_found', `No organisation here is called "${name.slice(0, 64)}".`);
    return id;
  }
}
