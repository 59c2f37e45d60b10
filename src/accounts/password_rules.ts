import { readFileSync } from 'node:fs';
import { RequestError } from '../platform/http/route.ts';

/**
 * What makes a long password weak anyway: few different characters, words of the person or the organisation, or standing
 * in every list of leaked passwords. Offline, and without rules about kinds of characters (ASVS 6.2.4 to 6.2.12); length
 * is checked by the schema. @throws RequestError invalid_field
 */
export function checkPassword(password: string, context: readonly string[]): void {
  const plain = password.normalize('NFC').toLowerCase();
  if (new Set(plain).size < 5 || isOfContext(plain, context) || isCommon(plain))
    throw new RequestError(
      'invalid_field',
      'This password is easy to guess. Use a few unrelated words, or let a password manager make one.',
      { field: 'password' },
    );
}

/** Shorter parts are in too many words to mean anything. */
const contextCharsMin = 4;
/** What is left without the words of the context must be worth something by itself. */
const restCharsMin = 8;

function isOfContext(plain: string, context: readonly string[]): boolean {
  const words = context
    .flatMap((text) => {
      const whole = text.normalize('NFC').toLowerCase();
      return [whole, ...whole.split(/[^\p{L}\p{N}]+/u)];
    })
    .filter((word) => word.length >= contextCharsMin)
    // Longest first: an address is taken out whole before its parts are.
    .sort((a, b) => b.length - a.length);
  const rest = words.reduce((text, word) => text.replaceAll(word, ''), plain);
  return rest !== plain && rest.length < restCharsMin;
}

/** Patterns that lists hold in thousands of forms. */
const pattern =
  /^(password|passwort|qwerty|azerty|letmein|welcome|admin|iloveyou|123456|abc123|changeme|secret)[\d\W]*\w{0,4}[\d\W]*$/;

/** A year or a few signs at the end of a common word do not mend it. */
function isCommon(plain: string): boolean {
  const words = commonPasswords();
  return pattern.test(plain) || words.has(plain) || words.has(plain.replace(/[^\p{L}]+/gu, ''));
}

let common: ReadonlySet<string> | undefined;
/** Where they come from stands in the first lines of the file. Read when it is first needed: 45 KB. */
function commonPasswords(): ReadonlySet<string> {
  common ??= new Set(
    readFileSync(new URL('./common_passwords.txt', import.meta.url), 'utf8')
      .replaceAll(/^#.*$/gm, '')
      .split(/\s+/),
  );
  return common;
}
