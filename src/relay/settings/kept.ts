import type { House } from '../../platform/subject.ts';
import { listCaptures, openCapture } from '../intake/captures.ts';
import type { CapturedRequest } from '../sources/request.ts';

/** Requests that are kept of a source, for trials. */
export function openKept({ postgres, vault }: Pick<House, 'postgres' | 'vault'>) {
  return {
    list: (organisationId: number, sourceId: number) =>
      postgres.tenant(organisationId, (sql) => listCaptures(sql, sourceId)),
    /** Undefined where it is not kept any more. @returns receivedAt in milliseconds since 1970 */
    async open(
      organisationId: number,
      sourceId: number,
      id: string,
    ): Promise<{ request: CapturedRequest; receivedAt: number } | undefined> {
      const found = await postgres.tenant(organisationId, (sql) =>
        openCapture(sql, vault, organisationId, sourceId, id),
      );
      return found && { request: found.request, receivedAt: found.receivedAt.getTime() };
    },
  };
}
