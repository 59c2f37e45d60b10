/**
 * Remembers the answers of a pure function for the keys asked most recently, at most `2 * keysMax` of them.
 *
 * Two generations instead of a list of uses: a look-up costs one hash of the key, and when the young generation is
 * full the old one is let go whole. What is asked in every generation is never recomputed.
 */
export function remembering<Answer>(job: {
  keysMax: number;
  /** Longer keys are answered but not kept, so that a flood of long ones cannot fill the memory. */
  keyCharsMax: number;
  answer: (key: string) => Answer;
}): (key: string) => Answer {
  let young = new Map<string, Answer>();
  let old = new Map<string, Answer>();
  return (key) => {
    let answer = young.get(key);
    if (answer !== undefined) return answer;
    if (key.length > job.keyCharsMax) return job.answer(key);
    answer = old.get(key) ?? job.answer(key);
    if (young.size >= job.keysMax) {
      old = young;
      young = new Map();
    }
    young.set(key, answer);
    return answer;
  };
}
