import type { Mapping } from '../../../../contract/mapping.ts';
import type { RelayUpload, UploadFormat, UploadPreview } from '../../../../contract/relay_uploads.ts';
import { call } from '../../desk/api.ts';

/** Calls about files that are sent to one source. */
export function uploadsOf(organisation: number, source: number) {
  const base = `/api/organisations/${organisation}/relay/sources/${source}`;
  const one = (id: number, rest = '') => `${base}/uploads/${id}${rest}`;
  return {
    list: (signal?: AbortSignal) => call<{ uploads: RelayUpload[] }>('GET', `${base}/uploads`, { signal }),
    begin: (body: { name: string; size: number }) => call<RelayUpload>('POST', `${base}/uploads`, { body }),
    sendPart: (id: number, part: number, bytes: Blob) => call<RelayUpload>('PUT', one(id, `/parts/${part}`), { bytes }),
    preview: (id: number, body: { format?: UploadFormat; mapping?: Mapping }, signal?: AbortSignal) =>
      call<UploadPreview>('POST', one(id, '/preview'), { body, signal }),
    check: (id: number, format: UploadFormat | undefined) =>
      call<RelayUpload>('POST', one(id, '/check'), { body: format === undefined ? {} : { format } }),
    start: (id: number) => call<RelayUpload>('POST', one(id, '/start')),
    /** Undefined when its line is gone; otherwise it is being ended. */
    remove: (id: number) => call<RelayUpload | undefined>('DELETE', one(id)),
    errorsAddress: (id: number) => one(id, '/errors.csv'),
    mapping: (version: number) => call<{ mapping: Mapping }>('GET', `${base}/mappings/${version}`),
    saveMapping: (mapping: Mapping, after: number) =>
      call<{ version: number }>('POST', `${base}/mappings`, { body: { mapping, after, note: 'Columns of a file' } }),
  };
}
export type UploadCalls = ReturnType<typeof uploadsOf>;
