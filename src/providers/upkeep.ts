import { connectionLimits } from '../../contract/connections.ts';
import { onClockSet, repeat } from '../platform/clock.ts';
import { everywhere } from '../platform/postgres/index.ts';
import type { House } from '../platform/subject.ts';
import { dayMs } from '../platform/zone.ts';
import { hostsOf, providers } from './list.ts';
import { type ConnectionRow, listConnections } from './records.ts';
import type { Steps } from './steps.ts';
import { factsOf, pageOf, type Teller, told } from './telling.ts';
import { leaseMs, type Tokens } from './tokens.ts';

/** A token of an hour is renewed at its half: a look every five minutes leaves it time for several tries. */
const lookMs = 5 * 60_000;
const firstMs = 20_000;
/** How often it is looked whether the wall clock was set, and a step that matters. */
const clockMs = { ms: 1_000, leastMs: leaseMs };
/** Renewals of one organisation in one look; the rest comes with the next. */
const atOnceMax = 50;

/** By the clock: renews tokens, ends what has run out, tells owners ahead of an end, forgets steps. */
export function openUpkeep(
  house: Pick<House, 'postgres' | 'clock' | 'config' | 'log'>,
  parts: { tokens: Tokens; steps: Steps; notices: Pick<Teller, 'remind'> },
) {
  const { postgres, clock, config, log } = house;
  const { tokens, steps, notices } = parts;
  let callOff = () => {};
  let running: Promise<unknown> | undefined;

  /** @returns how many were looked at. Each is renewed by itself: one that fails leaves the others as they are. */
  async function renewDue(): Promise<number> {
    const now = new Date(clock.now());
    const due = await everywhere(postgres, async (sql, organisationId) => {
      await steps.forget(sql, organisationId);
      return (await listConnections(sql, organisationId))
        .filter((row) => row.state === 'connected' && (hasMoved(row) || isDue(row, now) || isOver(row, now)))
        .slice(0, atOnceMax);
    });
    for (const row of due)
      try {
        if (hasMoved(row)) await tokens.end(row, 'base_url_changed');
        else if (isOver(row, now)) await tokens.end(row, 'expired');
        else await tokens.renew(row.organisation_id, row.id, row.refreshed_at);
      } catch (error) {
        log.error('connections.upkeep_failed', { organisation: row.organisation_id, connection: row.id }, error);
      }
    return due.length;
  }

  function isDue({ refresh_at, refreshing_until }: ConnectionRow, now: Date): boolean {
    return refresh_at !== null && refresh_at <= now && (refreshing_until === null || refreshing_until <= now);
  }

  /** What cannot be renewed ends with its time. */
  function isOver(row: ConnectionRow, now: Date): boolean {
    return row.expires_at !== null && row.expires_at <= now && !tokens.canRenew(row);
  }

  /** Has the operator given the platform another address since it was authorised? */
  function hasMoved(row: ConnectionRow): boolean {
    const provider = providers.find(({ id }) => id === row.provider);
    return provider !== undefined && row.issued_at_hosts !== hostsOf(provider, config);
  }

  /** Tells owners 14, 7 and 2 days before somebody has to authorise again, once each; a desk that was off tells the last one. */
  function remind(): Promise<void> {
    return notices.remind({
      roles: told,
      async due(sql, organisation) {
        const now = clock.now();
        const [most] = connectionLimits.alertDays;
        const near = await sql.query<ConnectionRow & { told_days: number | null; expires_at: Date }>(
          `SELECT id, provider, label, expires_at, told_days FROM connections
           WHERE organisation_id = $1 AND state = 'connected' AND expires_at > $2 AND expires_at <= $3 FOR UPDATE`,
          [organisation.id, new Date(now), new Date(now + most * dayMs)],
        );
        const link = near.length === 0 ? '' : await pageOf(sql, organisation.id);
        const due = [];
        for (const row of near) {
          const leftMs = row.expires_at.getTime() - now;
          const step = connectionLimits.alertDays.findLast((days) => leftMs <= days * dayMs) ?? most;
          if (row.told_days !== null && row.told_days <= step) continue;
          await sql.run('UPDATE connections SET told_days = $3 WHERE organisation_id = $1 AND id = $2', [
            ...[organisation.id, row.id, step],
          ]);
          const days = Math.max(1, Math.ceil(leftMs / dayMs));
          due.push({
            name: 'connection_ending' as const,
            facts: { ...factsOf(row, organisation.name), days: days === 1 ? 'one day' : `${days} days` },
            link,
          });
        }
        return due;
      },
      onFailed: (organisation, error) => log.error('connections.not_told', { organisation }, error),
    });
  }

  /** No lease ends so late by the clock that there is now: it was taken before that was set back. */
  async function endLeases(): Promise<void> {
    const latest = new Date(clock.now() + leaseMs);
    await everywhere(postgres, async (sql, organisationId) => {
      await sql.run(
        'UPDATE connections SET refreshing_until = NULL WHERE organisation_id = $1 AND refreshing_until > $2',
        [organisationId, latest],
      );
      return [];
    });
  }

  async function look(): Promise<void> {
    await renewDue();
    await remind();
  }

  return {
    renewDue,
    remind,
    begin() {
      if (config.role !== 'all' && config.role !== 'work') return;
      const onError = (error: unknown) => log.error('connections.upkeep_failed', {}, error);
      const stopLooking = repeat(clock, lookMs, () => (running = look()), { firstMs, onError });
      const stopClock = onClockSet(clock, async () => {}, {
        ...clockMs,
        // Whoever holds one may still be renewing until it is over by the steady clock.
        onceBack: { ms: leaseMs, work: () => (running = endLeases()) },
        onError,
      });
      callOff = () => {
        stopLooking();
        stopClock();
      };
    },
    async stop() {
      callOff();
      await running?.catch(() => {});
    },
  };
}
