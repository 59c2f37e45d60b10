/** The types that values are bound with. */
export type SqlType =
  | 'String'
  | 'Array(String)'
  | 'UInt64'
  | 'Int64'
  | 'UInt32'
  | 'Array(UInt32)'
  | 'Array(Date)'
  | 'Date';

/** Collects the values of one statement; the only way for a value to get into one. */
export interface Binder {
  /** Gives back `{pN:Type}`. The same value again gives the same placeholder. */
  bind(type: SqlType, value: string | number | readonly string[] | readonly number[]): string;
  /** The values of a finished statement: those whose placeholders are in it. A part may be built and left out. */
  paramsOf(sql: string): Record<string, unknown>;
}

export function openBinder(): Binder {
  const params: Record<string, unknown> = {};
  const placeholders = new Map<string, string>();
  return {
    paramsOf(sql) {
      const used = new Set([...sql.matchAll(/\{(p\d+):/g)].map((match) => match[1]));
      return Object.fromEntries(Object.entries(params).filter(([name]) => used.has(name)));
    },
    bind(type, value) {
      const key = `${type} ${JSON.stringify(value)}`;
      const known = placeholders.get(key);
      if (known !== undefined) return known;
      const name = `p${placeholders.size}`;
      params[name] = value;
      const placeholder = `{${name}:${type}}`;
      placeholders.set(key, placeholder);
      return placeholder;
    },
  };
}
