/**
 * How much of what repeats itself is run: `npm test -- --deep` takes every seed, zone and state, `npm test` some of each,
 * always the same ones, so that it ends in a quarter of an hour on two cores.
 */
export const isDeep = process.env.FAIRLEAD_TEST_DEEP === '1';

/** Every `nth` of a list of cases that are alike, all of them in a deep run. */
export function some<T>(nth: number, all: readonly T[]): readonly T[] {
  return isDeep ? all : all.filter((_, at) => at % nth === 0);
}

/**
 * Of cases that the same code answers for every call, `count` of them by turns: each call meets some, each case meets
 * many calls. All of them in a deep run.
 */
export function byTurns<T>(count: number, turn: number, all: readonly T[]): readonly T[] {
  return isDeep ? all : Array.from({ length: count }, (_, at) => all[(turn * count + at) % all.length] as T);
}
