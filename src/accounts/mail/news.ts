import type { Clock } from '../../platform/clock.ts';

/** So long after somebody is told the transaction that tells them has ended, and their count says it. */
const writtenMs = 2_000;
/** Beyond it all are forgotten: their pages ask once a minute anyway. */
const peopleMax = 50_000;

/**
 * Who was told of something and has not been shown their count since, as this process knows it. Every answer to one of them
 * says so, without asking a database, and their page then asks for the count.
 */
export interface News {
  told(personId: number): void;
  has(personId: number): boolean;
  shown(personId: number): void;
}

export function openNews(clock: Pick<Clock, 'monotonic'>): News {
  const toldAt = new Map<number, number>();
  return {
    told(personId) {
      if (toldAt.size >= peopleMax) toldAt.clear();
      toldAt.set(personId, clock.monotonic());
    },
    has: (personId) => toldAt.has(personId),
    shown(personId) {
      if (clock.monotonic() - (toldAt.get(personId) ?? 0) > writtenMs) toldAt.delete(personId);
    },
  };
}
