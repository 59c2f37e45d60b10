import type { Numbers } from './day.ts';

/**
 * Memory for what a thread keeps of days. Sections are mostly smaller than what the C library maps by itself
 * (MALLOC_MMAP_THRESHOLD_, scripts/run.cjs): kept where they were unpacked, they lie between others in a heap that does not shrink when
 * the thread ends, and after an hour of readers 200 MB stood there for nobody. A shelf is mapped by itself, and is the system's
 * again when the last that lies on it is forgotten.
 */
export type Shelves = <N extends Numbers>(section: N) => N;

const shelfBytes = 1 << 20;
/** Numbers can only be laid over memory that begins at a multiple of their size. */
const step = 8;

/** Gives a copy that lies on a shelf. */
export function openShelves(): Shelves {
  let shelf = new ArrayBuffer(0);
  let used = 0;
  return <N extends Numbers>(section: N): N => {
    const bytes = Math.ceil(section.byteLength / step) * step;
    if (used + bytes > shelf.byteLength) {
      // One that takes most of a shelf has one of its own, and the one that was begun is filled further.
      if (bytes > shelfBytes / 2) return section.slice() as N;
      shelf = new ArrayBuffer(shelfBytes);
      used = 0;
    }
    const Kind = section.constructor as new (memory: ArrayBuffer, from: number, count: number) => N;
    const kept = new Kind(shelf, used, section.length);
    kept.set(section as never);
    used += bytes;
    return kept;
  };
}
