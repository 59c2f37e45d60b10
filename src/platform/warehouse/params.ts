/** A value for a placeholder `{name:Type}`. Arrays are for `Array(…)`; 64-bit integers travel as bigint or text. */
export type Param = string | number | bigint | boolean | null | readonly Param[];

const placeholder = /\{([A-Za-z_][A-Za-z0-9_]*):([^{}]+)\}/g;
const wholeType = /^U?Int\d+$/;

/**
 * Fails when a placeholder has no value or a value has no placeholder. On the embedded engine parameters stay on
 * their connection, so a forgotten one would silently take the value of the question before: of another site. Fails where a part of a
 * whole number is given, too: the engine refuses it, and only at the moments at which there is one (a clock's milliseconds).
 */
export function checkParams(sql: string, params: Record<string, unknown>): void {
  const asked = new Set<string>();
  for (const [, name = '', type = ''] of sql.matchAll(placeholder)) {
    asked.add(name);
    const value = params[name];
    if (value === undefined) throw new TypeError(`The parameter ${name} of this statement has no value.`);
    if (typeof value === 'number' && !Number.isInteger(value) && wholeType.test(type))
      throw new TypeError(`The parameter ${name} of this statement is no whole number.`);
  }
  for (const name of Object.keys(params))
    if (!asked.has(name)) throw new TypeError(`The statement has no parameter ${name}.`);
}

/**
 * `SET param_a = '…', param_b = '…'; ` to put before a statement on the embedded engine.
 *
 * The binding has a call of its own for parameters, but it must run one such call at a time in the whole process
 * (its set-and-reset is not isolated between connections), so a slow question would hold up every other one. SET on
 * the connection binds the same way, typed and substituted after parsing, and connections stay independent.
 * The value is written twice escaped: once as the engine's text form of a parameter, once as an SQL literal.
 */
export function bindParams(params: Record<string, unknown>): string {
  const names = Object.keys(params);
  if (names.length === 0) return '';
  return `SET ${names.map((name) => `param_${name} = ${literal(paramText(params[name] as Param))}`).join(', ')}; `;
}

/** Text form of a parameter, as ClickHouse's HTTP interface takes it too: tab-separated rules for text. */
function paramText(value: Param): string {
  if (value === null) return '\\N';
  if (typeof value === 'string') return value.replace(/[\\\0\b\f\n\r\t]/g, (mark) => escapes[mark] as string);
  if (Array.isArray(value)) return `[${value.map(element).join(',')}]`;
  return scalar(value as number | bigint | boolean);
}

function element(value: Param): string {
  if (value === null) return 'NULL';
  if (typeof value === 'string') return literal(value);
  if (Array.isArray(value)) return `[${value.map(element).join(',')}]`;
  return scalar(value as number | bigint | boolean);
}

function scalar(value: number | bigint | boolean): string {
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number' && Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value)))
    return String(value);
  throw new TypeError('A parameter is neither text nor a number that JavaScript can hold exactly.');
}

/** A single-quoted literal. Only the backslash and the quote can end one early; the rest is escaped to stay readable. */
export function literal(text: string): string {
  return `'${text.replace(/[\\'\0\b\f\n\r\t]/g, (mark) => escapes[mark] as string)}'`;
}

const escapes: Record<string, string> = {
  '\\': '\\\\',
  "'": "\\'",
  '\0': '\\0',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};
