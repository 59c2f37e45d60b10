import { createHash } from 'node:crypto';
import type { Executor } from '../../platform/executor.ts';
import type { Keeper } from './keeper.ts';

/** The desk's own chain has the number 0. */
const desk = 0;

/**
 * Entries after two years (RET-05), up to a signed checkpoint, so that what is left still verifies. A chain goes from its
 * beginning or not at all: a hold on anybody whose acts may be in it keeps the whole of what is old.
 */
export function auditExecutor(keeper: Pick<Keeper, 'oldEntries' | 'removeEntries'>): Executor {
  return {
    line: 'audit',
    of: 'both',
    works: 'before it',
    async due({ organisationId, cutMs, holds }) {
      const { rows, oldest } = await keeper.oldEntries(organisationId ?? desk, cutMs);
      if (rows === 0) return [];
      const isHeld = holds.everything || holds.personIds.size > 0;
      return [{ table: 'audit.entries', rows, oldestMs: oldest?.getTime() ?? null, isHeld }];
    },
    async end({ organisationId, cutMs, holds }) {
      if (holds.everything || holds.personIds.size > 0) return [];
      const chain = organisationId ?? desk;
      const { oldest, keys } = await keeper.oldEntries(chain, cutMs);
      const rows = await keeper.removeEntries(chain, cutMs);
      const digest = createHash('sha256')
        .update(`${chain} ${keys ?? ''}`)
        .digest('hex');
      return rows === 0 ? [] : [{ table: 'audit.entries', rows, oldestMs: oldest?.getTime() ?? null, digest }];
    },
  };
}
