import type { Mapping, MappingCase, MappingFields } from '../../../../contract/mapping.ts';

/** The cases of a mapping while it is edited. A mapping without cases is one of them: every request. */

/** As `mappingLimits.casesMax` says; the schemas of the server stay there. */
export const casesMax = 20;

export const isIgnored = (one: MappingCase): one is Extract<MappingCase, { ignore: true }> => 'ignore' in one;

export function caseList(mapping: Mapping): readonly MappingCase[] {
  return 'cases' in mapping ? mapping.cases : [mapping];
}

/** The last case that makes conversions, which most requests are: where an editor opens. */
export function mainCase(mapping: Mapping): number {
  return Math.max(
    0,
    caseList(mapping).findLastIndex((one) => !isIgnored(one)),
  );
}

/** One case alone is written without a list, as short as it can be. */
export function withCases(cases: readonly MappingCase[]): Mapping {
  const [only, ...rest] = cases;
  if (only === undefined) return { fields: {} };
  return rest.length === 0 && !isIgnored(only) ? only : { cases: [...cases] };
}

export function withCase(mapping: Mapping, at: number, next: MappingCase): Mapping {
  const list = caseList(mapping);
  return 'cases' in mapping ? { cases: list.map((one, place) => (place === at ? next : one)) } : withCases([next]);
}

/**
 * A further case with a condition that is to be filled in, before the first that takes whatever comes: after that one it
 * would never be tried. One that makes conversions begins as a copy of the fields of another.
 */
export function addCase(
  mapping: Mapping,
  kind: 'makes' | 'ignores',
  fields: MappingFields,
): { mapping: Mapping; at: number } {
  const list = caseList(mapping);
  const when = { path: '', equals: '' };
  const made: MappingCase = kind === 'ignores' ? { when, ignore: true } : { when, fields };
  const open = list.findIndex(({ when: known }) => known === undefined);
  const at = open === -1 ? list.length : open;
  return { mapping: { cases: list.toSpliced(at, 0, made) }, at };
}

export function removeCase(mapping: Mapping, at: number): Mapping {
  return withCases(caseList(mapping).toSpliced(at, 1));
}

export function moveCase(mapping: Mapping, from: number, to: number): Mapping {
  const list = caseList(mapping);
  const moved = list[from];
  if (moved === undefined || to < 0 || to >= list.length) return mapping;
  return { cases: list.toSpliced(from, 1).toSpliced(to, 0, moved) };
}

/** The first case that is never tried, since one before it takes whatever comes. */
export function neverTried(mapping: Mapping): number | undefined {
  const list = caseList(mapping);
  const open = list.findIndex(({ when }) => when === undefined);
  return open === -1 || open === list.length - 1 ? undefined : open + 1;
}
