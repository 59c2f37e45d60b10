import { captureLimits, type Mapping } from '../../../contract/mapping.ts';
import { readJson } from '../sources/json.ts';
import { applyMapping, type Mapped } from './apply.ts';
import type { Names } from './data.ts';
import { readMapping } from './plan.ts';
import type { Scope } from './walk.ts';

/** For tests: when every request of theirs came. */
export const came = Date.UTC(2026, 10, 30, 9, 0, 0);

/** A record out of JSON text, as a source would read it. */
export function scopeOf(json: string, more: Partial<Scope> = {}): Scope {
  const read = readJson(json);
  if (!('data' in read)) throw new Error(read.unread.reason);
  const nothing = Object.create(null) as Names;
  const around = { query: nothing, headers: nothing, received_at: '2026-11-30T09:00:00Z' };
  return { ...around, record: read.data, body: read.data, work: { left: captureLimits.stepsMax }, ...more };
}

/** @throws where it is no mapping */
export function mappingOf(given: unknown): Mapping {
  const read = readMapping(given);
  if ('problem' in read) throw new Error(`${read.problem.at}: ${read.problem.sentence}`);
  return read.mapping;
}

/** One field of a conversion, mapped by these rules from this record: its value, or the reason and the field. */
export function fieldOf(field: string, rules: unknown, json: string, more: Partial<Scope> = {}): unknown {
  const always = { event_name: { default: 'purchase' }, occurred_at: '$received_at' };
  const [mapped] = applyMapping(scopeOf(json, more), mappingOf({ fields: { ...always, [field]: rules } }), came);
  return resultOf(mapped as Mapped, field);
}

function resultOf(mapped: Mapped, field: string): unknown {
  if ('ignored' in mapped) return 'ignored';
  if ('problems' in mapped) return mapped.problems.map((one) => `${one.reason} ${one.field}`).join(', ');
  let value: unknown = mapped.conversion;
  for (const name of field.split('.')) value = (value as Record<string, unknown> | undefined)?.[name];
  return value;
}
