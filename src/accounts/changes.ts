/**
 * Tells whoever keeps a copy of sites in memory (the collection plane) that a site was added or changed here.
 * Other processes notice by their own periodic reading; this only makes one's own changes count at once.
 */
type Listener = () => void;
const listeners = new Set<Listener>();

export function onSitesChanged(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function sitesChanged(): void {
  for (const listener of listeners) listener();
}
