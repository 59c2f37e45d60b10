/** Parts of this process that keep something of the relay's settings in memory. Other processes look by themselves. */
const listeners = new Set<() => Promise<void> | void>();

/** @returns what ends it */
export function onRelayChanged(listener: () => Promise<void> | void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** A source, a mapping, a destination or a route was changed: resolves when everybody here works with what is now. */
export async function relayChanged(): Promise<void> {
  await Promise.all([...listeners].map((listener) => listener()));
}
