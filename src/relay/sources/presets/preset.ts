import { type ClickId, clickIds } from '../../../../contract/canonical_fields.ts';
import type { Condition, Mapping, Rule, SignatureScheme } from '../../../../contract/mapping.ts';

/** A platform whose requests are known: its mapping, how it signs, and what it sends that is no conversion. */
export interface Preset {
  /** As it stands on the command line, such as `voluum`. */
  readonly id: string;
  readonly label: string;
  /** `upload`: it reads rows of a file. Left out: requests. */
  readonly kind?: 'upload';
  readonly mapping: Mapping;
  readonly signature?: SignatureScheme;
  /** What stands behind the source's address in the tracker, with the macros that it fills in. */
  readonly template?: string;
  /** A request that only asks whether somebody is there: unsigned, and answered with 200. */
  readonly ping?: Condition;
}

/** Not what is told of a browser instead of a click, nor a tracker's own. */
const noClicks: readonly ClickId[] = ['fbc', 'fbp', 'ttp', 'tracker'];
/** Click ids by the parameters under which they are in the address of the first page. */
const clickParameters = clickIds
  .filter((name) => !noClicks.includes(name))
  .map((name) => [name, name === 'sc_click_id' ? 'ScCid' : name] as const);

/**
 * Rules for every click id.
 * @param rulesOf those of one: its canonical name and the parameter of an address that carries it
 */
export function clickIdRules(rulesOf: (name: string, parameter: string) => Rule[]): Record<string, Rule[]> {
  return Object.fromEntries(
    clickParameters.map(([name, parameter]) => [`click_ids.${name}`, rulesOf(name, parameter)]),
  );
}

const utmNames = ['source', 'medium', 'campaign', 'term', 'content'] as const;

/** The same for `utm.source` and the others. */
export function utmRules(rulesOf: (name: string, parameter: string) => Rule[]): Record<string, Rule[]> {
  return Object.fromEntries(utmNames.map((name) => [`utm.${name}`, rulesOf(name, `utm_${name}`)]));
}
