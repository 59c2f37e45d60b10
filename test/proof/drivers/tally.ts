export interface Tally {
  acknowledged: number;
  stored: number;
  /** Acknowledged and not stored: must be empty. */
  lost: string[];
  /** Stored more than once: must be empty. */
  duplicated: string[];
  /** Stored without an acknowledgement. Allowed (the process died between its sync and its answer), so counted only. */
  unasked: number;
}

/** Compares what senders were promised with what the store has. Ids are whatever names an event uniquely. */
export function tally(acknowledged: Iterable<string>, stored: Iterable<string>): Tally {
  const promised = new Set(acknowledged);
  const found = new Map<string, number>();
  for (const id of stored) found.set(id, (found.get(id) ?? 0) + 1);
  return {
    acknowledged: promised.size,
    stored: found.size,
    lost: [...promised].filter((id) => !found.has(id)),
    duplicated: [...found].filter(([, times]) => times > 1).map(([id]) => id),
    unasked: [...found.keys()].filter((id) => !promised.has(id)).length,
  };
}
