import type { RelayUpload, UploadEncoding, UploadProblem } from '../../../../contract/relay_uploads.ts';
import { counted, exactCount } from '../../numbers/format.ts';
import { fieldProblem } from '../words.ts';

export const encodingWords: Readonly<Record<UploadEncoding, string>> = {
  'utf-8': 'UTF-8',
  'utf-16le': 'UTF-16',
  'utf-16be': 'UTF-16, big-endian',
  'latin-1': 'Latin-1 (Windows-1252)',
};
export const separatorWords = { ',': 'Comma ,', ';': 'Semicolon ;', '\t': 'Tab' } as const;

const ofRow: Readonly<Record<string, string>> = {
  too_large: 'The row is longer than one may be',
  too_many: 'The row has more cells than there are columns',
  no_case: 'No case of the mapping fits the row',
  invalid: 'The database takes no such values',
  too_much_work: 'The mapping looks at too much of it',
};

/** What is the matter with a row, in words. */
export function problemText({ field, reason }: UploadProblem): string {
  if (field === '') return ofRow[reason] ?? reason;
  return `${field} ${reason === 'formula' ? 'holds a formula that came to an error' : fieldProblem(field, reason)}`;
}

/** What came of an upload that has ended, or how far it is. */
export function outcomeText({ state, rows }: RelayUpload): string {
  switch (state) {
    case 'uploading':
      return 'Is being sent';
    case 'uploaded':
    case 'checking':
    case 'checked':
      return 'Nothing is taken yet';
    case 'running':
      return `Is being taken: ${exactCount(rows.fresh)} so far`;
    case 'cancelling':
      return 'Is being ended';
    case 'done':
      return rows.fresh === 0 ? 'Taken: nothing of it was new' : `Taken: ${counted(rows.fresh, 'new conversion')}`;
    case 'cancelled':
      return `Ended by somebody after ${counted(rows.fresh, 'new conversion')}`;
    case 'failed':
      return rows.fresh === 0 ? 'Failed' : `Failed after ${counted(rows.fresh, 'new conversion')}`;
  }
}

export const isOpen = ({ state }: RelayUpload): boolean =>
  ['uploading', 'uploaded', 'checking', 'checked', 'running', 'cancelling'].includes(state);
/** Something happens that can be watched. */
export const isBusy = ({ state }: RelayUpload): boolean => ['checking', 'running', 'cancelling'].includes(state);
