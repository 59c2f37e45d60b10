/**
 * Frozen days add up in blocks that begin at a multiple of their length, so that ranges share most of what they are
 * made of: a look at thirty days finds what a look at ninety has left, and tomorrow's finds today's.
 */
export interface Block {
  /** UTC day number. */
  first: number;
  days: number;
}

/** Of four of the next smaller length each, so that a block whose quarters are known is known. */
const lengths = [64, 16, 4, 1] as const;
const quarters = 4;

/** The fewest blocks that hold the days and no other. */
export function blocksOf(days: ReadonlySet<number>): Block[] {
  const blocks: Block[] = [];
  const taken = new Set<number>();
  for (const day of [...days].sort((one, other) => one - other)) {
    if (taken.has(day)) continue;
    const length = lengths.find((each) => day % each === 0 && daysFrom(day, each).every((one) => days.has(one))) ?? 1;
    for (const one of daysFrom(day, length)) taken.add(one);
    blocks.push({ first: day, days: length });
  }
  return blocks;
}

/** The four blocks that it is made of; none of a single day. */
export function quartersOf({ first, days }: Block): Block[] {
  const length = days / quarters;
  return days === 1 ? [] : Array.from({ length: quarters }, (_, at) => ({ first: first + at * length, days: length }));
}

export function daysOf({ first, days }: Block): number[] {
  return daysFrom(first, days);
}

function daysFrom(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, at) => first + at);
}
