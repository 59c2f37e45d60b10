import { profileLimits } from '../../../contract/profiles.ts';

/** What an identify call says: by explicit call only, and of these four nothing else (COL-17). */
export interface Traits {
  id?: string;
  email?: string;
  name?: string;
  avatar?: string;
}

const address = /^[^\s@]+@[^\s@]+$/;

/** @returns a sentence for what cannot be taken: nothing is cut or left out in silence */
export function readTraits(said: Readonly<Record<string, unknown>>): Traits | string {
  const traits: Traits = {};
  for (const key of ['id', 'email', 'name', 'avatar'] as const) {
    const value = said[key];
    if (value === undefined || value === null || value === '') continue;
    if (typeof value !== 'string') return `The "${key}" is text.`;
    const text = value.trim();
    if (text.length > profileLimits.charsMax[key])
      return `The "${key}" has at most ${profileLimits.charsMax[key]} characters.`;
    if (text !== '') traits[key] = text;
  }
  if (traits.id === undefined && traits.email === undefined) return 'An identify call needs an "id" or an "email".';
  if (traits.email !== undefined && !address.test(traits.email)) return 'The "email" is an address.';
  if (traits.avatar !== undefined && !/^https:\/\//.test(traits.avatar))
    return 'The "avatar" is an address that begins with https.';
  return traits;
}
