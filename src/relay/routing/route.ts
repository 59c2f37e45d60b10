import type { Conversion } from '../../../contract/conversion.ts';
import { captureLimits } from '../../../contract/mapping.ts';
import type { RouteRules } from '../../../contract/relay.ts';
import { planCondition, type Test } from '../mapping/conditions.ts';
import type { Data } from '../mapping/data.ts';
import { TooMuchWork } from '../mapping/problem.ts';

/** What becomes of a conversion on a route, before anybody asks for consent. */
export type Routed =
  | { readonly goes: false; readonly why: 'condition' | 'event' }
  | { readonly goes: true; readonly as: string | null; readonly value: string | null };

/** Rules of a route, ready to be asked many times. */
export interface PlannedRoute {
  readonly rules: RouteRules;
  readonly when: Test | undefined;
}

export function planRoute(rules: RouteRules): PlannedRoute {
  return { rules, when: rules.when === undefined ? undefined : planCondition(rules.when) };
}

/** @param facts the conversion without its user: no route can be made by who somebody is */
export function routed({ rules, when }: PlannedRoute, facts: Conversion): Routed {
  if (when !== undefined && !holds(when, facts)) return { goes: false, why: 'condition' };
  const { events = [] } = rules;
  const event = events.find(({ name }) => name === facts.event_name);
  if (events.length > 0 && event === undefined) return { goes: false, why: 'event' };
  return { goes: true, as: event?.as ?? null, value: sentValue(rules.value, facts) };
}

function holds(when: Test, facts: Conversion): boolean {
  const record = facts as unknown as Data;
  const around = { query: {}, headers: {}, received_at: '', work: { left: captureLimits.stepsMax } };
  try {
    return when({ record, body: record, ...around });
  } catch (error) {
    if (error instanceof TooMuchWork) return false;
    throw error;
  }
}

/** The value that is sent, as plain decimal text; null where the conversion has none and none is set. */
function sentValue(rule: RouteRules['value'], { value, cost }: Conversion): string | null {
  const own = value === undefined ? null : String(value);
  if (rule === undefined) return own;
  if ('fixed' in rule) return rule.fixed;
  if (own === null) return null;
  if ('margin' in rule) return cost === undefined ? own : decimal(scaled(own), scaled(String(cost)), (a, b) => a - b);
  return product(own, rule.factor);
}

interface Scaled {
  readonly digits: bigint;
  readonly places: number;
}

/** Text of a decimal, or a number as JSON had it, whose exponent is written out. */
function scaled(text: string): Scaled {
  const [, sign = '', whole = '0', part = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(text.trim()) ?? [];
  const places = part.length - Number(exponent);
  const digits = BigInt(`${sign}${whole}${part}`);
  return places < 0 ? { digits: digits * 10n ** BigInt(-places), places: 0 } : { digits, places };
}

function decimal(a: Scaled, b: Scaled, combine: (a: bigint, b: bigint) => bigint): string {
  const places = Math.max(a.places, b.places);
  const at = ({ digits, places: own }: Scaled) => digits * 10n ** BigInt(places - own);
  return textOf(combine(at(a), at(b)), places);
}

function product(a: string, b: string): string {
  const [left, right] = [scaled(a), scaled(b)];
  return textOf(left.digits * right.digits, left.places + right.places);
}

/** What is left of an order: its value less what was taken back. */
export function difference(value: string, taken: string): string {
  return decimal(scaled(value), scaled(taken), (a, b) => a - b);
}

function textOf(digits: bigint, places: number): string {
  const sign = digits < 0n ? '-' : '';
  const text = (digits < 0n ? -digits : digits).toString().padStart(places + 1, '0');
  if (places === 0) return `${sign}${text}`;
  const part = text.slice(-places).replace(/0+$/, '');
  const whole = text.slice(0, -places);
  return `${sign}${whole}${part === '' ? '' : `.${part}`}`;
}
