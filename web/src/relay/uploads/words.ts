import type { RelayUpload, UploadEncoding, UploadProblem } from '../../../../contract/relay_uploads.ts';
import { exactCount } from '../../numbers/format.ts';

export const encodingWords: Readonly<Record<UploadEncoding, string>> = {
  'utf-8': 'UTF-8',
  'utf-16le': 'UTF-16',
  'utf-16be': 'UTF-16, big-endian',
  'latin-1': 'Latin-1 (Windows-1252)',
};
export const separatorWords = { ',': 'Comma ,', ';': 'Semicolon ;', '\t': 'Tab' } as const;

const reasons: Readonly<Record<string, string>> = {
  missing: 'is not there',
  invalid: 'cannot be read as what it should be',
  too_many: 'has too many values',
  not_in_table: 'is not in the look-up table',
  unexpanded_macro: 'is a macro that was not filled in',
  no_offset: 'has no offset from UTC',
  in_the_future: 'lies in the future',
  unknown_currency: 'is no currency of ISO 4217',
  click_ids_conflict: 'has a gbraid and a wbraid, which Google refuses together',
  formula: 'holds a formula that came to an error',
};
const ofRow: Readonly<Record<string, string>> = {
  too_large: 'The row is longer than one may be',
  too_many: 'The row has more cells than there are columns',
  no_case: 'No case of the mapping fits the row',
  invalid: 'The database takes no such values',
  too_much_work: 'The mapping looks at too much of it',
};

/** What is the matter with a row, in words. */
export function problemText({ field, reason }: UploadProblem): string {
  return field === '' ? (ofRow[reason] ?? reason) : `${field} ${reasons[reason] ?? reason}`;
}

export const counted = (count: number, one: string, many = `${one}s`) =>
  `${exactCount(count)} ${count === 1 ? one : many}`;

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
