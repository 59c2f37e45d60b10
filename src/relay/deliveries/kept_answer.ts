import { deliveryLimits } from './limits.ts';

/**
 * What of a platform's answer is kept: its shape, small whole numbers, yes and no, and words that can be nothing but a code.
 * Whatever else stands in it may quote what was sent (addresses, numbers of phones, hashes, tokens, names), and is left out
 * as `…`.
 * @param body parsed where it is JSON, else text
 */
export function keptAnswer(body: unknown): string {
  if (typeof body === 'string') return body === '' ? '' : `(text, ${Buffer.byteLength(body)} bytes)`;
  for (const rowsMax of [50, 10, 3, 0]) {
    const text = JSON.stringify(kept(body, '', rowsMax, 0)) ?? '';
    if (text.length <= deliveryLimits.answerCharsMax) return text;
  }
  return '(too long)';
}

const left = '…';
const depthMax = 10;
const membersMax = 40;
/** Names of members are the platform's own, unless it keys something by what was sent. */
const memberName = /^[@A-Za-z][A-Za-z_-]{0,39}$/;
/** `RESOURCE_EXHAUSTED`: capitals alone, and an underline, which no name or address of a person has. */
const code = /^[A-Z][A-Z0-9]{0,30}(?:_[A-Z0-9]{1,30}){1,10}$/;
/** Members whose words are the platform's own list. */
const listed = new Set([
  'type',
  'code',
  'status',
  'reason',
  'errorCode',
  'error_type',
  'quota_limit',
  'requestStatus',
  'domain',
]);
const word = /^[A-Za-z][A-Za-z_]{0,59}$/;
/** `events[3].userData.userIdentifiers[0]` */
const path = /^[a-z][A-Za-z_]{0,39}(?:\[\d{1,6}\])?(?:\.[a-z][A-Za-z_]{0,39}(?:\[\d{1,6}\])?){0,8}$/;
const numberMax = 9_999_999;

function kept(value: unknown, name: string, rowsMax: number, depth: number): unknown {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isSafeInteger(value) && Math.abs(value) <= numberMax ? value : left;
  if (typeof value === 'string') return keptText(value, name);
  if (typeof value !== 'object' || depth >= depthMax) return left;
  if (Array.isArray(value)) {
    const rows = value.slice(0, rowsMax).map((each) => kept(each, name, rowsMax, depth + 1));
    return value.length > rowsMax ? [...rows, `(${value.length - rowsMax} more)`] : rows;
  }
  const members = Object.entries(value).filter(([each]) => memberName.test(each));
  return Object.fromEntries(
    members.slice(0, membersMax).map(([each, of]) => [each, kept(of, each, rowsMax, depth + 1)]),
  );
}

function keptText(value: string, name: string): string {
  if (code.test(value) || (listed.has(name) && word.test(value))) return value;
  if (name === 'field' && path.test(value)) return value;
  // Google's 64-bit numbers are texts; elsewhere digits in a text may be a postal code.
  return (name === 'recordCount' || listed.has(name)) && /^\d{1,7}$/.test(value) ? value : left;
}
