import { type DeliveryChoice, type ReplayPreview, replayLookedAtMax } from '../../../contract/deliveries.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { readTarget } from './account.ts';
import { agesByKind } from './ages.ts';
import { type Decided, decide, takenColumns } from './decide.ts';
import type { LaneOf, Senders, Target } from './parts.ts';
import { countReplay, replayed, replayedParams } from './replays.ts';
import type { TakenRow } from './rows.ts';

/** Read and decided on in one transaction. */
const pieceRows = 1_000;

/**
 * What a replay would do as things are now: how many would be tried again, how many are too old, and what of the first ten thousand would
 * be withheld or set aside again without being sent, by what a turn decides by. Nothing is changed.
 */
export async function previewReplay(
  { postgres, vault, clock }: Pick<Senders, 'postgres' | 'vault' | 'clock'>,
  organisationId: number,
  choice: DeliveryChoice,
): Promise<ReplayPreview> {
  const now = clock.now();
  const counted = await postgres.tenant(organisationId, (sql) => countReplay(sql, organisationId, choice, now));
  const aside = new Map<string, ReplayPreview['aside'][number]>();
  let lookedAt = 0;
  for (const { destination_id } of counted.by_destination) {
    const lane = { organisationId, destinationId: destination_id };
    for (let after = 0, isMore = true; isMore && lookedAt < replayLookedAtMax; ) {
      const rowsMax = Math.min(pieceRows, replayLookedAtMax - lookedAt);
      const piece = await postgres.tenant(organisationId, (sql) =>
        lookAt(sql, vault, lane, { choice: { ...choice, destination: destination_id }, now, after, rowsMax }),
      );
      for (const one of piece.aside) {
        const key = JSON.stringify([destination_id, one.state, one.reason, one.field]);
        const known = aside.get(key);
        if (known === undefined) aside.set(key, { destination_id, ...one, deliveries: 1 });
        else known.deliveries += 1;
      }
      lookedAt += piece.rows;
      after = piece.last;
      isMore = piece.rows === rowsMax;
    }
  }
  const most = [...aside.values()].sort((a, b) => b.deliveries - a.deliveries);
  return { ...counted, looked_at: lookedAt, aside: most };
}

interface Piece {
  readonly choice: DeliveryChoice;
  readonly now: number;
  readonly after: number;
  readonly rowsMax: number;
}
type Aside = Pick<ReplayPreview['aside'][number], 'state' | 'reason' | 'field'>;

async function lookAt(
  sql: Sql,
  vault: Senders['vault'],
  lane: LaneOf,
  { choice, now, after, rowsMax }: Piece,
): Promise<{ rows: number; last: number; aside: Aside[] }> {
  const rows = await sql.query<TakenRow>(
    `SELECT ${takenColumns} FROM ${replayed(11)} AND d.id > $10 ORDER BY d.id LIMIT $9`,
    [...replayedParams(lane.organisationId, choice, now), rowsMax, after, ...agesByKind()],
  );
  const last = rows.at(-1)?.id ?? after;
  // Of an account that cannot be read everything waits until somebody has put it right.
  const target = await readTarget(sql, lane);
  if (target === undefined || rows.length === 0) return { rows: rows.length, last, aside: [] };
  const decided = await decide(sql, vault, target, { rows, now });
  const goAgain = await purchasesOf(sql, vault, target, { decided, choice, now });
  const aside = decided.aside.flatMap(({ row, outcome }): Aside[] => {
    if (outcome.state !== 'withheld' && outcome.state !== 'dead') return [];
    if (outcome.reason === 'original_not_delivered' && goAgain.has(decided.orders.get(row.id)?.purchase?.conversionId))
      return [];
    // Of a list the place is left out: there is no end of places.
    const field = outcome.field?.replaceAll(/\[\d+\]/g, '[]') ?? null;
    return [{ state: outcome.state, reason: outcome.reason, field }];
  });
  return { rows: rows.length, last, aside };
}

/** Purchases of corrections that would go again in the same replay, and be sent: what corrects one waits for it then. */
async function purchasesOf(
  sql: Sql,
  vault: Senders['vault'],
  target: Target,
  { decided, choice, now }: { decided: Decided; choice: DeliveryChoice; now: number },
): Promise<ReadonlySet<string | undefined>> {
  const named = [...decided.orders.values()].flatMap(({ purchase }) => purchase?.conversionId ?? []);
  if (named.length === 0) return new Set();
  const rows = await sql.query<TakenRow>(
    `SELECT ${takenColumns} FROM ${replayed(10)} AND d.conversion_id = ANY ($9::uuid[]) ORDER BY d.id`,
    [...replayedParams(target.organisationId, choice, now), named, ...agesByKind()],
  );
  const { ready } = await decide(sql, vault, target, { rows, now });
  return new Set(ready.map(({ row }) => row.conversion_id));
}
