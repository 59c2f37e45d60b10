import { type AdsAccount, type AdsRow, resources } from './google_ads_accounts.ts';
import { refusal } from './google_ads_refusal.ts';

/**
 * The part of GAQL that the fixed queries of account discovery need: one resource, fields by name, conditions joined by
 * AND (`=`, `!=`, `<`, `<=`, `>`, `>=`, `IN`, `NOT IN`), one order, a limit.
 */
export function runQuery(
  text: unknown,
  account: AdsAccount,
  all: readonly AdsAccount[],
): { results: AdsRow[]; fieldMask: string } {
  if (typeof text !== 'string' || text.trim() === '') throw wrong('QUERY_NOT_FOUND', 'query is missing');
  const [, selected, from = '', where, order, limit] = grammar.exec(text) ?? [];
  if (selected === undefined) throw wrong('UNEXPECTED_INPUT', 'not SELECT … FROM … WHERE … ORDER BY … LIMIT …');
  const rowsOf = Object.hasOwn(resources, from) ? resources[from] : undefined;
  if (rowsOf === undefined) throw wrong('BAD_RESOURCE_TYPE_IN_FROM_CLAUSE', from);
  const fields = selected.split(',').map((each) => each.trim());
  const known = fieldsOf(from);
  const asked = [
    ...fields,
    ...conditionsOf(where).map(({ field }) => field),
    ...(order === undefined ? [] : [named(order)]),
  ];
  for (const field of asked) if (!known.has(field)) throw wrong('UNRECOGNIZED_FIELD', field);
  const rows = rowsOf(account, all).filter((row) => conditionsOf(where).every((condition) => holds(condition, row)));
  if (order !== undefined) rows.sort((one, other) => compare(valueAt(one, named(order)), valueAt(other, named(order))));
  if (/\sDESC$/i.test(order ?? '')) rows.reverse();
  return {
    results: rows.slice(0, limit === undefined ? undefined : Number(limit)).map((row) => pick(row, fields)),
    fieldMask: fields.map(inCamelCase).join(','),
  };
}

const grammar =
  /^\s*SELECT\s+([\w.,\s]+?)\s+FROM\s+(\w+)(?:\s+WHERE\s+(.+?))?(?:\s+ORDER\s+BY\s+([\w.]+(?:\s+(?:ASC|DESC))?))?(?:\s+LIMIT\s+(\d+))?(?:\s+PARAMETERS\s+[^;]+)?\s*$/is;

function wrong(code: string, what: string) {
  return refusal('INVALID_ARGUMENT', 'queryError', code, `Error in query: ${what}`);
}

/** Every field of a resource, from a row that has them all. */
function fieldsOf(resource: string): Set<string> {
  const action = { id: '1', name: 'n', type: 'WEBPAGE' } as const;
  const whole: AdsAccount = { id: '1', name: 'n', currency: 'EUR', timeZone: 'UTC', actions: [action] };
  const [row = {}] = resources[resource]?.(whole, [whole]) ?? [];
  return new Set(leaves(row));
}

function leaves(value: object, path = ''): string[] {
  return Object.entries(value).flatMap(([name, inner]) => {
    const field = `${path}${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;
    return typeof inner === 'object' && inner !== null ? leaves(inner, `${field}.`) : [field];
  });
}

interface Condition {
  field: string;
  operator: string;
  values: string[];
}

function conditionsOf(where: string | undefined): Condition[] {
  if (where === undefined) return [];
  return where.split(/\s+AND\s+/i).map((text) => {
    const [, field = '', operator, value = ''] =
      /^\s*([\w.]+)\s*(=|!=|<=|>=|<|>|\s(?:NOT\s+)?IN\b)\s*(.+?)\s*$/is.exec(text) ?? [];
    if (operator === undefined) throw wrong('UNEXPECTED_INPUT', text);
    const isList = /IN/i.test(operator);
    if (isList !== /^\(.*\)$/s.test(value)) throw wrong('INVALID_VALUE_WITH_OPERATOR', text);
    const values = isList ? value.slice(1, -1).split(',') : [value];
    return {
      ...{ field, operator: operator.trim().replace(/\s+/g, ' ').toUpperCase() },
      values: values.map((each) => each.trim().replace(/^(['"])(.*)\1$/s, '$2')),
    };
  });
}

function holds({ field, operator, values }: Condition, row: AdsRow): boolean {
  const value = String(valueAt(row, field));
  const isAmong = values.some((each) => each.toLowerCase() === value.toLowerCase());
  if (operator === '=' || operator === 'IN') return isAmong;
  if (operator === '!=' || operator === 'NOT IN') return !isAmong;
  const order = compare(value, values[0]);
  if (operator.startsWith('<')) return order < 0 || (operator === '<=' && order === 0);
  return order > 0 || (operator === '>=' && order === 0);
}

function compare(one: unknown, other: unknown): number {
  const [left, right] = [Number(one), Number(other)];
  if (!Number.isNaN(left) && !Number.isNaN(right)) return left - right;
  return String(one) < String(other) ? -1 : String(one) > String(other) ? 1 : 0;
}

function named(order: string): string {
  return order.split(/\s/)[0] ?? '';
}

function inCamelCase(field: string): string {
  return field.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function valueAt(row: AdsRow, field: string): unknown {
  return inCamelCase(field)
    .split('.')
    .reduce<unknown>((value, name) => Object(value)[name], row);
}

/** The fields that were asked for, and the name of the resource, which always comes along. */
function pick(row: AdsRow, fields: readonly string[]): AdsRow {
  const picked: AdsRow = {};
  for (const [resource, { resourceName }] of Object.entries(row)) picked[resource] = { resourceName };
  for (const field of fields) {
    const path = inCamelCase(field).split('.');
    let into: Record<string, unknown> = picked;
    for (const name of path.slice(0, -1)) {
      into[name] ??= {};
      into = into[name] as Record<string, unknown>;
    }
    into[path.at(-1) ?? ''] = valueAt(row, field);
  }
  return picked;
}
