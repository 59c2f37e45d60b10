/**
 * Tells whoever keeps a copy of sites in memory (the collection plane) that a site was added or changed here.
 * Other processes notice by their own periodic reading; this only makes one's own changes count at once.
 */
type Listener = () => Promise<void>;
const listeners = new Set<Listener>();

export function onSitesChanged(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Resolves when every copy in this process is new, so that a setting holds from the next event on. */
export async function sitesChanged(): Promise<void> {
  await Promise.all([...listeners].map((listener) => listener()));
}
