import type { Mapping, MappingCase } from '../../../../contract/mapping.ts';
import { caseList, withCases } from './cases.ts';

/**
 * What a draft changed, put into the version that came between: parts and fields that the draft left alone are that
 * version's. Of several cases each is put on the one in its place.
 * @param base the version that the draft began from
 * @returns undefined where cases were added or taken away on either side: then nothing says which belongs to which
 */
export function onTop({
  base,
  draft,
  current,
}: {
  base: Mapping;
  draft: Mapping;
  current: Mapping;
}): Mapping | undefined {
  const [from, mine, theirs] = [caseList(base), caseList(draft), caseList(current)];
  if (mine.length !== from.length || theirs.length !== from.length) return undefined;
  return withCases(
    mine.map((one, at) => {
      const [was, is] = [(from[at] ?? {}) as Parts, (theirs[at] ?? {}) as Parts];
      const parts = mixed(was, one as Parts, is);
      if ('fields' in parts) parts.fields = mixed(fieldsOf(was), fieldsOf(one as Parts), fieldsOf(is));
      return parts as unknown as MappingCase;
    }),
  );
}

type Parts = Record<string, unknown>;
const fieldsOf = (one: Parts) => (one.fields ?? {}) as Parts;

/** Each member as the draft has it where it differs from what it began from, else as it is now. */
function mixed(was: Parts, mine: Parts, is: Parts): Parts {
  const isSame = (name: string) => JSON.stringify(was[name]) === JSON.stringify(mine[name]);
  return Object.fromEntries(
    [...new Set([...Object.keys(is), ...Object.keys(mine)])]
      .map((name) => [name, isSame(name) ? is[name] : mine[name]] as const)
      .filter(([, value]) => value !== undefined),
  );
}
