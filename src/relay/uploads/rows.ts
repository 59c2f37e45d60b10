import { createHash } from 'node:crypto';
import type { Conversion } from '../../../contract/conversion.ts';
import { captureLimits, type Mapping } from '../../../contract/mapping.ts';
import { parsePath, parseTemplate } from '../../../contract/mapping_path.ts';
import type { UploadProblem } from '../../../contract/relay_uploads.ts';
import { applyMapping } from '../mapping/apply.ts';
import type { Names } from '../mapping/data.ts';
import type { TableRow } from './table.ts';

/** What a row of a file is. A row has no lists, so it is one conversion at most in nearly every mapping. */
export interface ReadRow {
  readonly row: number;
  readonly conversions: readonly Conversion[];
  /** Of a row that is taken: what was left out of it. */
  readonly problems: readonly UploadProblem[];
  readonly isIgnored: boolean;
}

const nothing: Names = Object.create(null);

/**
 * Reads rows by a mapping. When a row came is nothing that a mapping can say (`$received_at` is empty): a file is of the past,
 * and the same row would be another conversion each time that it is sent.
 * @param now milliseconds since 1970, against which times in the future are seen
 */
export function readRow(
  { row, record, problem, failed }: TableRow,
  mapping: Mapping,
  used: ReadonlySet<string>,
  now: number,
): ReadRow {
  const wrong = (problems: readonly UploadProblem[]): ReadRow => ({ row, conversions: [], problems, isIgnored: false });
  if (record === undefined) return wrong([{ field: '', reason: problem ?? 'too_large' }]);
  const broken = (failed ?? []).filter((column) => used.has(column));
  if (broken.length > 0) return wrong(broken.map((field) => ({ field, reason: 'formula' })));
  const scope = { record, body: record, query: nothing, headers: nothing, work: { left: captureLimits.stepsMax } };
  const conversions: Conversion[] = [];
  const problems: UploadProblem[] = [];
  let isWrong = false;
  for (const mapped of applyMapping(scope, mapping, now)) {
    if ('ignored' in mapped) continue;
    const said = 'conversion' in mapped ? mapped.notes : mapped.problems;
    problems.push(...said.map(({ field, reason }) => ({ field, reason })));
    if ('conversion' in mapped) conversions.push(mapped.conversion);
    else isWrong = true;
  }
  if (isWrong) return wrong(problems);
  return { row, conversions, problems, isIgnored: conversions.length === 0 };
}

/** Every column that a mapping looks at, for whatever it does with it. */
export function columnsReadBy(mapping: Mapping): ReadonlySet<string> {
  const columns = new Set<string>();
  collect(mapping, columns);
  return columns;
}

/** Those of them from which something of a person is taken. */
export function personalColumns(mapping: Mapping): ReadonlySet<string> {
  const columns = new Set<string>();
  for (const one of 'cases' in mapping ? mapping.cases : [mapping])
    if ('fields' in one)
      for (const [field, rules] of Object.entries(one.fields))
        if (field.startsWith('user.')) collectRules(rules, columns);
  return columns;
}

function collect(given: unknown, columns: Set<string>): void {
  if (Array.isArray(given)) for (const one of given) collect(one, columns);
  else if (typeof given === 'object' && given !== null)
    for (const [name, value] of Object.entries(given)) {
      if (name === 'fields') for (const rules of Object.values(value as object)) collectRules(rules, columns);
      else if ((name === 'path' || name === 'each') && typeof value === 'string') addPath(value, columns);
      else if (name === 'currency' && typeof value === 'string') addPath(value, columns);
      else if (name === 'template' && typeof value === 'string')
        for (const part of parseTemplate(value) ?? []) if (typeof part !== 'string') addSteps(part, columns);
      if (name !== 'fields' && name !== 'lookup') collect(value, columns);
    }
}

function collectRules(rules: unknown, columns: Set<string>): void {
  for (const rule of Array.isArray(rules) ? rules : [rules])
    if (typeof rule === 'string') addPath(rule, columns);
    else collect(rule, columns);
}

function addPath(text: string, columns: Set<string>): void {
  const path = parsePath(text);
  if (path !== undefined) addSteps(path, columns);
}

function addSteps({ root, steps: [first] }: NonNullable<ReturnType<typeof parsePath>>, columns: Set<string>): void {
  if ((root === 'record' || root === 'body') && first?.kind === 'name') columns.add(first.name);
}

/** The number of a telling, the same each time that its row is taken: what a kill cut off is gone on with and stored once. */
export function tellingId(request: string, row: number, at: number): string {
  const bytes = createHash('sha256').update(`${request} ${row} ${at}`).digest().subarray(0, 16);
  // RFC 9562: version 8, made of something of one's own.
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
