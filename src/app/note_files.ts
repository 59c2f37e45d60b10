import { noteRemovedFiles, type OnRemoved } from '../platform/removed.ts';
import type { House } from '../platform/subject.ts';

/** Notes what a timer of the desk's own files removed, for the receipt of the next night. */
export function noteFiles(
  { postgres, clock }: Pick<House, 'postgres' | 'clock'>,
  line: string,
  from: string,
): OnRemoved {
  return (files) =>
    postgres.system((sql) => noteRemovedFiles(sql, { line, from, organisationId: null, nowMs: clock.now() }, files));
}
