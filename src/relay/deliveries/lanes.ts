import { repeat } from '../../platform/clock.ts';
import type { Destination } from '../destinations/destination.ts';
import { openAccount, stopDestination } from './account.ts';
import { openBreaker } from './breaker.ts';
import { openBuckets } from './bucket.ts';
import { deliveryLimits } from './limits.ts';
import { chanceOf, type LaneOf, type Senders } from './parts.ts';
import { rowsOf, take } from './take.ts';
import { finishTurn, type LaneState, newLaneState, type TurnEnd } from './turn.ts';

/** Since this process began, by kind of destination. */
export interface LaneCounts {
  accepted: number;
  retried: number;
  dead: number;
  withheld: number;
}

export interface Lanes {
  /** Begins turns for all that has something to send now. @returns when these and those that follow from them have ended */
  idle(): Promise<void>;
  /** Something was written that is due: it is looked for at once, and not only with the next look. */
  wake(): void;
  counts(): ReadonlyMap<string, Readonly<LaneCounts>>;
  /** Accounts that are left alone for a while, by kind. */
  openBreakers(): ReadonlyMap<string, number>;
  /** Begins nothing more, and waits a little for what is under way; what takes longer is sent again after its lease. */
  stop(): Promise<void>;
}

interface Lane extends LaneOf {
  state: LaneState | undefined;
  kind: string | undefined;
  isBusy: boolean;
  isQueued: boolean;
  /** Not before: milliseconds of the steady clock. */
  readyAt: number;
}

const awayMs = 30_000;
const stopMs = 3_000;
/** Lanes that are remembered. One that is forgotten begins anew with a full bucket and a closed breaker. */
const lanesMax = 20_000;

/**
 * A lane for each account that something is sent to, with a bucket and a breaker of its own. Lanes take turns: one batch,
 * then the next lane's. A fixed number of turns is under way at once, and half of these places are never given to
 * accounts that are slow or silent, so that nobody waits for somebody else's platform.
 */
export function openLanes(senders: Senders): Lanes {
  const { postgres, clock, log, random } = senders;
  const lanes = new Map<number, Lane>();
  const queue: Lane[] = [];
  const running = new Map<Lane, { isSlow: boolean; ended: Promise<void> }>();
  const counts = new Map<string, LaneCounts>();
  const bucketFor = openBuckets();
  const ending = new AbortController();
  let isAwake = false;
  const steady = () => clock.monotonic();

  async function look(): Promise<void> {
    if ((await senders.isHeld?.()) === true) return;
    const due = await postgres.system((sql) =>
      sql.query<{ organisation_id: number; destination_id: number }>(
        'SELECT * FROM lookup.destinations_to_send_to($1)',
        [new Date(clock.now())],
      ),
    );
    for (const { organisation_id, destination_id } of due) enqueue(laneFor(organisation_id, destination_id));
    pump();
  }

  function laneFor(organisationId: number, destinationId: number): Lane {
    const known = lanes.get(destinationId);
    if (known !== undefined) return known;
    if (lanes.size >= lanesMax) for (const [id, one] of lanes) if (!one.isBusy && !one.isQueued) lanes.delete(id);
    const lane: Lane = {
      ...{ organisationId, destinationId, state: undefined, kind: undefined },
      ...{ isBusy: false, isQueued: false, readyAt: 0 },
    };
    lanes.set(destinationId, lane);
    return lane;
  }

  function enqueue(lane: Lane): void {
    if (lane.isBusy || lane.isQueued || ending.signal.aborted) return;
    lane.isQueued = true;
    queue.push(lane);
  }

  /** Gives free places to those who wait, in their order; those that are slow only to the places for them. */
  function pump(): void {
    let slow = [...running.values()].filter(({ isSlow }) => isSlow).length;
    const now = steady();
    for (let place = 0; place < queue.length && running.size < deliveryLimits.turnsAtOnceMax; ) {
      const lane = queue[place] as Lane;
      const isSlow = lane.state?.isSlow === true;
      if (isSlow && slow >= deliveryLimits.slowTurnsAtOnceMax) {
        place++;
        continue;
      }
      queue.splice(place, 1);
      lane.isQueued = false;
      if (lane.readyAt > now) continue;
      if (isSlow) slow++;
      run(lane, isSlow);
    }
  }

  function run(lane: Lane, isSlow: boolean): void {
    lane.isBusy = true;
    const ended = turn(lane)
      .catch((error) => {
        lane.readyAt = steady() + awayMs;
        if (!ending.signal.aborted) log.error('relay.turn_failed', { destination: lane.destinationId }, error);
        return false;
      })
      .then((isFull) => {
        lane.isBusy = false;
        running.delete(lane);
        if (isFull) comeBack(lane);
        pump();
      });
    running.set(lane, { isSlow, ended });
  }

  /** More is due: to the end of the queue, once the bucket has something for it. */
  function comeBack(lane: Lane): void {
    const waitMs = lane.readyAt - steady();
    if (waitMs <= 0) enqueue(lane);
    else if (waitMs < deliveryLimits.lookMs)
      clock.after(waitMs, () => {
        enqueue(lane);
        pump();
      });
  }

  /** @returns whether more is due */
  async function turn(lane: Lane): Promise<boolean> {
    const account = await openAccount(senders, lane);
    if ('state' in account) {
      lane.readyAt = steady() + (account.state === 'away' ? account.afterMs : deliveryLimits.lookMs);
      if (account.state !== 'reconnect' && account.state !== 'misconfigured') return false;
      const stopped = { state: account.state, reason: account.reason };
      await postgres.tenant(lane.organisationId, (sql) => stopDestination(sql, lane, stopped, clock.now()));
      log.warn('relay.destination_stopped', { destination: lane.destinationId, state: account.state });
      return false;
    }
    const { destination } = account;
    lane.kind = destination.id;
    lane.state ??= newLaneState(
      bucketFor(destination.id, destination.rate),
      openBreaker(() => chanceOf(random)),
    );
    const { state } = lane;
    const allowed = state.breaker.allows(steady());
    const waitMs = Math.max(state.pausedUntil - steady(), typeof allowed === 'number' ? allowed : 0);
    if (waitMs > 0) {
      lane.readyAt = steady() + waitMs;
      return false;
    }
    const isProbe = allowed === 'probe';
    const requests = state.bucket.take(isProbe ? 1 : requestsOf(destination), steady());
    if (requests === 0) {
      lane.readyAt = steady() + state.bucket.waitMs(steady());
      return true;
    }
    const rows = rowsOf(destination.batchMax);
    const taken = await take(senders, account, { rows: isProbe ? Math.ceil(rows / 10) : rows, requests });
    state.bucket.give(requests - taken.batches.length);
    add(destination.id, { ...taken, accepted: 0, retried: 0 });
    if (taken.batches.length > 0) {
      const end = await finishTurn(senders, account, state, taken, ending.signal);
      add(destination.id, end);
      if (end.stopped !== undefined) return false;
    }
    lane.readyAt = Math.max(state.pausedUntil, steady() + state.bucket.waitMs(steady()));
    return taken.isFull || (taken.batches.length > 0 && taken.batches.length === requests);
  }

  /** Rows that cannot share a request may take one each: what was opened for a turn would be opened again for each of the next ones. */
  function requestsOf({ batchMax, together }: Pick<Destination, 'batchMax' | 'together'>): number {
    const most = deliveryLimits.turnRequestsMax;
    return together !== undefined && batchMax < most ? most : Math.max(1, Math.floor(most / batchMax));
  }

  function countsOf(kind: string): LaneCounts {
    const known = counts.get(kind) ?? { accepted: 0, retried: 0, dead: 0, withheld: 0 };
    counts.set(kind, known);
    return known;
  }
  function add(kind: string, { accepted, retried, dead, withheld }: Omit<TurnEnd, 'stopped'>): void {
    const known = countsOf(kind);
    known.accepted += accepted;
    known.retried += retried;
    known.dead += dead;
    known.withheld += withheld;
  }

  const stopLooking = repeat(clock, deliveryLimits.lookMs, look, {
    onError: (error) => log.error('relay.look_failed', {}, error),
  });

  return {
    async idle() {
      await look();
      while (running.size > 0) await Promise.all([...running.values()].map(({ ended }) => ended));
    },
    wake() {
      if (isAwake || ending.signal.aborted) return;
      isAwake = true;
      look()
        .catch((error) => log.error('relay.look_failed', {}, error))
        .finally(() => {
          isAwake = false;
        });
    },
    counts: () => counts,
    openBreakers() {
      const open = new Map<string, number>();
      for (const { kind, state } of lanes.values())
        if (kind !== undefined && state?.breaker.isOpen() === true) open.set(kind, (open.get(kind) ?? 0) + 1);
      return open;
    },
    async stop() {
      ending.abort();
      stopLooking();
      queue.length = 0;
      const all = Promise.all([...running.values()].map(({ ended }) => ended));
      await Promise.race([all, new Promise<void>((resolve) => clock.after(stopMs, resolve))]);
    },
  };
}
