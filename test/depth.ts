/**
 * How much of what repeats itself is run: `npm test -- --deep` takes every seed, zone and state, `npm test` some of each,
 * always the same ones, so that it ends in a quarter of an hour on two cores.
 */
export const isDeep = process.env.FAIRLEAD_TEST_DEEP === '1';

/** Every `nth` of a list of cases that are alike, all of them in a deep run. */
export function some<T>(nth: number, all: readonly T[]): readonly T[] {
  return isDeep ? all : all.filter((_, at) => at % nth === 0);
}
