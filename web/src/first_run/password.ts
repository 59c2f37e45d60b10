import { passwordCharsMin } from '../../../contract/limits.ts';

export interface Strength {
  /** Filled parts of the meter, of four. */
  parts: 0 | 1 | 2 | 3 | 4;
  text: string;
}

/**
 * A plain judgement by length and variety. It never blocks more than the desk does (the shortest length); it says
 * what would help. Characters are counted as people see them, not as bytes.
 */
export function passwordStrength(password: string): Strength {
  const characters = [...password];
  const length = characters.length;
  if (length === 0)
    return { parts: 0, text: `At least ${passwordCharsMin} characters. A few unrelated words are good.` };
  if (length < passwordCharsMin)
    return { parts: 1, text: `${length} characters; ${passwordCharsMin - length} more are needed.` };
  const different = new Set(characters).size;
  if (different < 5)
    return { parts: 1, text: `${length} characters, but only ${different} different ones. It is easy to guess.` };
  if (length < 16 && !/[^a-z]/i.test(password))
    return { parts: 2, text: `Fair. ${length} characters; longer is stronger.` };
  if (length < 18) return { parts: 3, text: `Good. ${length} characters.` };
  return { parts: 4, text: `Strong. ${length} characters.` };
}
