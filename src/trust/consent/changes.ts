/** Whoever keeps bases in memory hears of a change in this process; another process looks again within 15 s. */
const listeners = new Set<() => Promise<void>>();

export function onBasesChanged(listener: () => Promise<void>): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export async function basesChanged(): Promise<void> {
  await Promise.all([...listeners].map((listener) => listener()));
}
