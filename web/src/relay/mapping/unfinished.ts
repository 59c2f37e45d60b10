import type { Mapping } from '../../../../contract/mapping.ts';
import { caseList, isIgnored } from './cases.ts';
import { lackOf } from './condition_text.ts';
import { isItems, type RuleObject, rulesOf } from './model.ts';

/** What is not finished in a mapping, so that nothing half done is tried or saved. */
export function unfinished(mapping: Mapping): string | undefined {
  const list = caseList(mapping);
  for (const [at, one] of list.entries()) {
    const place = list.length === 1 ? '' : `Case ${at + 1}: `;
    const conditions = [one.when, 'only' in one ? one.only : undefined];
    for (const condition of conditions) {
      const lack = condition === undefined ? undefined : lackOf(condition);
      if (lack !== undefined) return sentence(place, lack);
    }
    if (isIgnored(one)) continue;
    for (const [field, rules] of Object.entries(one.fields)) {
      const all = isItems(rules)
        ? Object.values(rules.fields).flatMap((inner) => rulesOf(inner))
        : rulesOf(rules as Exclude<typeof rules, { each: string }>);
      const lack = all.map(lackOfRule).find((found) => found !== undefined);
      if (lack !== undefined) return `${place}${field}: ${lack}.`;
    }
  }
  return undefined;
}

function lackOfRule({ when, lookup }: RuleObject): string | undefined {
  const lack = when === undefined ? undefined : lackOf(when);
  if (lack !== undefined) return lack;
  return lookup !== undefined && Object.keys(lookup).length === 0 ? 'its table has no row' : undefined;
}

function sentence(place: string, lack: string): string {
  const text = `${place}${lack}.`;
  return text.charAt(0).toUpperCase() + text.slice(1);
}
