/**
 * Names of countries in English, as answers and filters of `visit:country_name` have them. Stored are codes; the
 * names come from the runtime's CLDR data, so there is no list of ours to keep.
 */
const names = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });
const letters = Array.from({ length: 26 }, (_, at) => String.fromCharCode(65 + at));
const known = letters.flatMap((first) =>
  letters.flatMap((second) => {
    const name = names.of(first + second);
    return name === undefined ? [] : [{ code: first + second, name }];
  }),
);

export const countryCodes = known.map((country) => country.code);
export const countryNames = known.map((country) => country.name);

const nameByCode = new Map(known.map(({ code, name }) => [code, name]));

/** The name, or the code itself where it has none: what the engine's `transform` makes of the two lists. */
export function countryNameOf(code: string): string {
  return nameByCode.get(code) ?? code;
}
