import { z } from 'zod';
import type { Clock } from '../platform/clock.ts';
import { RequestError } from '../platform/http/route.ts';
import type { Random } from '../platform/random.ts';
import type { House } from '../platform/subject.ts';
import { openSeal } from '../trust/keys/index.ts';

/** A removal can be taken back for so long. */
const undoMs = 3_600_000;

/**
 * What was removed travels, sealed, to whoever may take the removal back; nothing of it stays on the desk.
 *
 * @param purpose names the key, and the seal's context beside the site's number
 */
export function openUndo<Shape extends z.ZodRawShape>(
  { keys, clock, random }: Pick<House, 'keys'> & { clock: Pick<Clock, 'now'>; random: Random },
  purpose: 'goal-undo' | 'shield-undo',
  shape: Shape,
) {
  const seal = openSeal(keys.derive(purpose), random);
  const contextOf = (site: { id: number }) => `${purpose} ${site.id}`;
  const inTime = z.object({ removed_ms: z.number() });
  const removed = z.object(shape);
  return {
    give: (site: { id: number }, gone: z.input<typeof removed>): string =>
      seal.seal(JSON.stringify({ ...gone, removed_ms: clock.now() }), contextOf(site)),
    /** @throws RequestError invalid_field, for what was given to another site, too long ago, or never */
    take(site: { id: number }, undo: string): z.output<typeof removed> {
      const text = seal.open(undo, contextOf(site));
      const before: unknown = text === undefined ? undefined : JSON.parse(text);
      if (before === undefined || inTime.parse(before).removed_ms < clock.now() - undoMs)
        throw new RequestError('invalid_field', 'This removal was more than an hour ago, or of another site.', {
          field: 'undo',
        });
      return removed.parse(before);
    },
  };
}
