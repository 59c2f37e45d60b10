import type { RowVerdict, Verdict } from '../destinations/destination.ts';
import { stopDestination } from './account.ts';
import { nextTry } from './again.ts';
import type { Breaker } from './breaker.ts';
import type { Bucket } from './bucket.ts';
import { isTrial } from './credits.ts';
import { deliveryLimits } from './limits.ts';
import { type Account, chanceOf, type Senders } from './parts.ts';
import { type Sent, sendItems } from './request.ts';
import type { Batch, Ended, Outcome, Ready } from './rows.ts';
import { type AttemptEnd, drawForward, endAttempts, onceMoreIfCut, settle } from './settle.ts';
import { begin, type Turn } from './take.ts';

/** What a lane keeps of its account between turns. */
export interface LaneState {
  readonly bucket: Bucket;
  readonly breaker: Breaker;
  /** After too many requests; milliseconds of the steady clock. */
  pausedUntil: number;
  isSlow: boolean;
  /** Its token was refused the last time, and another one was got. */
  isRefused: boolean;
  /** Rows that it left unanswered since it last answered: they are due when an outage is over. */
  readonly unanswered: Set<number>;
  /** It is over, and that is not written down yet. */
  isBack: boolean;
}

/** Of an account that nothing was sent to yet. */
export function newLaneState(bucket: Bucket, breaker: Breaker): LaneState {
  return { bucket, breaker, pausedUntil: 0, isSlow: false, isRefused: false, unanswered: new Set(), isBack: false };
}

/** What became of the deliveries of a turn, for the numbers. */
export interface TurnEnd {
  readonly accepted: number;
  readonly retried: number;
  readonly dead: number;
  readonly withheld: number;
  /** Somebody has to do something before the account goes on. */
  readonly stopped: { readonly state: 'reconnect' | 'misconfigured'; readonly reason: string } | undefined;
}

/** Why an account stands whose token has expired; the platform's code stays with its deliveries. */
const expired = 'expired';

/** Whether the platform itself said something, be it about single rows. */
function isAnswer({ class: kind, rows }: Verdict): boolean {
  return kind !== 'retry' || rows !== undefined;
}

/**
 * By how much a conversion is in the future for a platform whose clock is behind, which may be all that is wrong with it: it
 * is sent again once it is past there. Its `Date` is of whole seconds.
 */
function aheadMs({ occurred_at }: Ready['row'], { answeredAt }: Sent): number {
  return answeredAt === undefined ? 0 : Math.max(0, occurred_at.getTime() - (answeredAt + 1_000));
}

/** Sends the batches of a turn, finds out what became of each row, and writes it down. */
export async function finishTurn(
  senders: Senders,
  account: Account,
  lane: LaneState,
  { batches, leaseAt, reservation }: Pick<Turn, 'batches' | 'leaseAt' | 'reservation'>,
  signal: AbortSignal,
): Promise<TurnEnd> {
  const { clock, random, postgres, log, credits } = senders;
  const { destination, organisationId, destinationId } = account;
  const begun = clock.monotonic();
  const ended: Ended[] = [];
  const attempts: AttemptEnd[] = [];
  let searches: number = deliveryLimits.searchRequestsMax;
  let stopped: TurnEnd['stopped'];
  const isOver = () =>
    signal.aborted ||
    stopped !== undefined ||
    lane.pausedUntil > clock.monotonic() ||
    clock.monotonic() - begun > deliveryLimits.turnMs;

  function end(ready: readonly Ready[], outcomeOf: (one: Ready, place: number) => Outcome): void {
    for (const [place, one] of ready.entries()) ended.push({ row: one.row, outcome: outcomeOf(one, place) });
  }

  /** @param isPart of a request that was refused: its rows were sent in this turn before */
  async function send(batch: Batch, isPart = false): Promise<void> {
    // Of one that is not begun any more nobody knows anything.
    if (isOver() || (lane.breaker.isOpen() && ended.length > 0)) return leave(batch, isPart);
    const held = isPart || clock.monotonic() - begun < deliveryLimits.lookAgainMs ? batch : await stillHeld(batch);
    if (held === undefined) return leave(batch, isPart);
    const { ready, attemptId, settings } = held;
    if (ready.length === 0) return leave(held, isPart);
    const sent = await sendItems(
      senders,
      account,
      ready.map(({ item }) => item),
      settings,
    );
    note(sent);
    attempts.push({ id: attemptId, sent, resultAt: resultAt(sent), of: ready.map(({ row }) => row.id) });
    if (sent.isUnsent === true) return end(ready, () => ({ state: 'unsent', isTried: isPart }));
    await share(held, sent);
  }

  /**
   * What of a batch that waited for others of its turn is still to go: rows that were erased, cancelled or withheld since, or
   * whose route was removed, are left out.
   * @returns undefined where the account was paused or removed: all of it stays as it is
   */
  async function stillHeld(batch: Batch): Promise<Batch | undefined> {
    const ids = batch.ready.map(({ row }) => row.id);
    return postgres.tenant(organisationId, async (sql) => {
      const found = await sql.query<{ id: number | null }>(
        `SELECT d.id FROM relay_destinations o LEFT JOIN relay_deliveries d ON d.organisation_id = $1 AND d.id = ANY ($3::bigint[])
           AND d.state = 'sending' AND d.next_at = $4 AND EXISTS (SELECT FROM relay_routes r WHERE r.id = d.route_id)
         WHERE o.organisation_id = $1 AND o.id = $2 AND o.state = 'active'`,
        [organisationId, destinationId, ids, leaseAt],
      );
      if (found.length === 0) return undefined;
      const still = new Set(found.map(({ id }) => id));
      const ready = batch.ready.filter(({ row }) => still.has(row.id));
      if (ready.length > 0 && ready.length < batch.ready.length)
        await sql.run('UPDATE relay_attempts SET items = $3 WHERE organisation_id = $1 AND id = $2', [
          ...[organisationId, batch.attemptId, ready.length],
        ]);
      return { ...batch, ready };
    });
  }

  function leave({ ready, attemptId }: Batch, isTried: boolean): void {
    const sent: Sent = {
      verdict: { class: 'retry', reason: 'not_begun' },
      ms: 0,
      status: 0,
      answer: '',
      isUnsent: true,
    };
    attempts.push({ id: attemptId, sent, of: [] });
    end(ready, () => ({ state: 'unsent', isTried }));
  }

  /** Nothing is asked later about what was only checked. */
  function resultAt({ platformRequest }: Sent): number | undefined {
    return platformRequest === undefined || account.isDryRun ? undefined : clock.now() + deliveryLimits.resultFirstMs;
  }

  function note(sent: Sent): void {
    if (sent.isUnsent === true || sent.isTooLarge === true) return;
    const now = clock.monotonic();
    const { verdict, ms, usage } = sent;
    const aloneMs = lane.breaker.note(isAnswer(verdict), now);
    if (aloneMs !== undefined && aloneMs >= deliveryLimits.outageMs) lane.isBack = true;
    else if (isAnswer(verdict) && !lane.isBack) lane.unanswered.clear();
    if (verdict.class !== 'auth' && verdict.class !== 'retry') lane.isRefused = false;
    lane.isSlow = verdict.class === 'retry' || ms > deliveryLimits.slowMs;
    if (verdict.class === 'rate_limited')
      lane.pausedUntil = Math.max(
        lane.pausedUntil,
        now + Math.max(deliveryLimits.againMsMin, verdict.retryAfterMs ?? deliveryLimits.rateMs),
      );
    // Near its limit an account is asked at half the speed, and at the limit not for a minute.
    if (usage !== undefined && usage >= 95) lane.pausedUntil = Math.max(lane.pausedUntil, now + deliveryLimits.rateMs);
    else if (usage !== undefined && usage >= 75) lane.bucket.slow(now + deliveryLimits.rateMs);
  }

  /** What the answer means for each row; rows that are not to blame go again at once. */
  async function share(batch: Batch, sent: Sent): Promise<void> {
    const { ready } = batch;
    const { verdict } = sent;
    // What is said of a row, be it a pause, holds for it from now on.
    const isSilent = !isAnswer(verdict) && verdict.retryAfterMs === undefined;
    for (const { row } of ready)
      if (!isSilent) lane.unanswered.delete(row.id);
      else if (lane.unanswered.size < deliveryLimits.unansweredMax) lane.unanswered.add(row.id);
    const rows = new Map((verdict.rows ?? []).map((row) => [row.index, row]));
    const isRefusedWhole = rows.size > 0 && verdict.class === 'retry';
    if (ready.length > 1 && (sent.isTooLarge === true || (rows.size === 0 && verdict.class === 'permanent'))) {
      const early = sent.isTooLarge === true ? [] : ready.filter(({ row }) => aheadMs(row, sent) > 0);
      if (early.length > 0) {
        end(early, (one) => outcomeOf(one, verdict, sent));
        const past = ready.filter(({ row }) => aheadMs(row, sent) <= 0);
        return past.length > 0 ? again(batch, past, verdict) : undefined;
      }
      const middle = Math.ceil(ready.length / 2);
      await again(batch, ready.slice(0, middle), verdict);
      return again(batch, ready.slice(middle), verdict);
    }
    const innocent = isRefusedWhole ? ready.filter((_, place) => !rows.has(place)) : [];
    const left = new Set(innocent);
    for (const [place, one] of ready.entries())
      if (!left.has(one)) ended.push({ row: one.row, outcome: outcomeOf(one, rows.get(place) ?? verdict, sent) });
    // Where an answer names no row of the request, there is nobody to leave behind.
    if (innocent.length === ready.length) end(ready, (one) => outcomeOf(one, verdict));
    else if (innocent.length > 0) await again(batch, innocent, verdict);
  }

  /** A part of a refused request as a request of its own, once the account may be asked again. */
  async function again(batch: Batch, ready: readonly Ready[], verdict: Verdict): Promise<void> {
    while (!isOver() && searches > 0 && lane.bucket.take(1, clock.monotonic()) === 0)
      await new Promise<void>((resolve) =>
        clock.after(Math.min(lane.bucket.waitMs(clock.monotonic()), 1_000), resolve),
      );
    if (isOver() || searches <= 0 || lane.breaker.isOpen())
      return end(ready, (one) => outcomeOf(one, { class: 'retry', reason: verdict.reason }));
    searches--;
    const part = await postgres.tenant(organisationId, (sql) =>
      begin(sql, account, [ready], { now: clock.now(), leaseAt, settings: () => batch.settings, isHeld: true }),
    );
    for (const one of part) await send(one, true);
  }

  function outcomeOf({ row }: Ready, said: Verdict | RowVerdict, sent?: Sent): Outcome {
    const ahead = sent === undefined ? 0 : aheadMs(row, sent);
    const verdict: Verdict | RowVerdict =
      said.class === 'permanent' && ahead > 0 ? { class: 'retry', reason: said.reason, retryAfterMs: ahead } : said;
    const { reason, retryAfterMs } = verdict;
    const now = clock.now();
    switch (verdict.class) {
      case 'accepted':
        return {
          state: 'accepted',
          reason: account.isDryRun ? 'validated' : account.testCode === undefined ? undefined : 'test',
        };
      case 'treat_as_delivered':
        return { state: 'accepted', reason, isDouble: true };
      case 'permanent':
        return { state: 'dead', reason };
      case 'auth':
      case 'config':
        stopped ??= {
          state: verdict.class === 'auth' ? 'reconnect' : 'misconfigured',
          reason: 'isExpired' in verdict ? expired : reason,
        };
        return { state: 'waiting', nextAt: now, triesUntil: row.tries_until?.getTime(), reason };
      case 'retry':
      case 'retry_later':
      case 'rate_limited': {
        const tried = {
          attempts: row.attempts + 1,
          triesUntil: row.tries_until?.getTime() ?? now + deliveryLimits.triesMs,
          occurredAt: row.occurred_at.getTime(),
          ageMsMax: destination.ageMsMax?.(row.facts),
        };
        const next = nextTry(tried, { class: verdict.class, reason, retryAfterMs }, now, chanceOf(random));
        return next.state === 'dead' ? next : { ...next, reason };
      }
    }
  }

  const queue = [...batches];
  const workers = Array.from({ length: Math.min(queue.length, deliveryLimits.requestsAtOnceMax) }, async () => {
    for (let batch = queue.shift(); batch !== undefined; batch = queue.shift()) await send(batch);
  });
  await Promise.all(workers);

  // A token that ended before its time is no reason to ask somebody, where the provider gives another one; once.
  const { connection } = account;
  if (
    stopped?.state === 'reconnect' &&
    connection !== undefined &&
    senders.connections !== undefined &&
    !lane.isRefused
  ) {
    const other = await senders.connections.refusedToken(
      ...([organisationId, connection.id, connection.version] as const),
      stopped.reason === expired,
    );
    lane.isRefused = true;
    if (!('reconnect' in other)) stopped = undefined;
    else stopped = { state: 'reconnect', reason: other.reconnect };
  }

  const isTest = isTrial(account);
  const written = () =>
    postgres.tenant(organisationId, async (sql) => {
      await endAttempts(sql, organisationId, attempts);
      await settle(sql, account, ended, {
        ...{ now: clock.now(), isTest, leaseAt },
        ...(credits === undefined || isTest
          ? {}
          : {
              charge: (accepted) => credits.settle(sql, { organisationId, destinationId, reservation, accepted }),
            }),
      });
      if (lane.isBack) await drawForward(sql, account, [...lane.unanswered], clock.now());
      return stopped !== undefined && (await stopDestination(sql, account, stopped, clock.now()));
    });
  // The platform has answered: what is not written down here goes to it a second time, once the lease is over.
  const isNews = await onceMoreIfCut(written);
  if (lane.isBack) lane.unanswered.clear();
  lane.isBack = false;
  if (isNews && stopped !== undefined)
    log.warn('relay.destination_stopped', { destination: destinationId, kind: destination.id, state: stopped.state });
  const count = (state: Outcome['state']) => ended.filter(({ outcome }) => outcome.state === state).length;
  return {
    ...{ accepted: count('accepted'), retried: count('waiting'), dead: count('dead'), withheld: count('withheld') },
    stopped,
  };
}
