import { repeat } from '../../platform/clock.ts';
import { everywhere } from '../../platform/postgres/index.ts';
import type { House, RunningSubject } from '../../platform/subject.ts';
import { carryOut, type Papers } from './records.ts';
import { transferRoutes } from './routes.ts';
import { type Teller, tellMembers } from './telling.ts';

export { listTransfers } from './records.ts';

export const transferMigrations = new URL('./migrations/', import.meta.url);

/** How soon after its day has begun a transfer is carried out. */
const lookMs = 10 * 60_000;

type Parts = Pick<House, 'postgres' | 'clock' | 'audit' | 'config' | 'log'>;

/** Transfers of organisations to a new controller (SHR-06). */
export function openTransfers(
  house: Parts,
  notices: Teller,
  papers: Papers & { prepare(): Promise<void> },
): RunningSubject & { carryOutDue(): Promise<number> } {
  const { postgres, clock, audit, config, log } = house;
  let callOff = () => {};
  let running: Promise<unknown> | undefined;

  /** @returns how many passed. Each is a transaction of its own: what a kill cuts short is done with the next look. */
  async function carryOutDue(): Promise<number> {
    await papers.prepare();
    const done = await everywhere(postgres, async (sql, organisationId) => {
      const one = await carryOut(sql, organisationId, clock.now(), papers);
      if (one === undefined) return [];
      await tellMembers(sql, notices, organisationId, {
        ...{ name: 'controller_changed', of: one },
        documents: one.renewed,
      });
      await audit.record(sql, organisationId, {
        ...{ action: 'transfer.done', actor: { type: 'system' } },
        targets: [{ type: 'transfer', id: one.id, label: one.legal_name }],
        details: {
          effective_on: one.effective_on,
          before: one.before_name,
          ...one.carried,
          documents: one.renewed.join(', '),
        },
      });
      return [one.id];
    });
    if (done.length > 0) log.info('transfers.done', { organisations: done.length });
    return done.length;
  }

  return {
    routes: transferRoutes(house, notices),
    carryOutDue,
    async begin() {
      if (config.role !== 'all' && config.role !== 'work') return;
      const look = () => {
        running = carryOutDue();
        return running;
      };
      callOff = repeat(clock, lookMs, look, {
        ...{ firstMs: 30_000, onError: (error) => log.error('transfers.failed', {}, error) },
      });
    },
    async stop() {
      callOff();
      await running?.catch(() => {});
    },
  };
}
