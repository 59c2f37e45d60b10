/**
 * What a request said, in the shapes of JSON. A number stands as a number only where that loses nothing: `12.50`, or a
 * number beyond 2^53, is the text it came in.
 */
export type Data = string | number | boolean | null | readonly Data[] | Names;
/** By names, and without a prototype: what a sender calls `__proto__` or `constructor` is a name like any other. */
export interface Names {
  readonly [name: string]: Data;
}

export function isNames(data: Data | undefined): data is Names {
  return typeof data === 'object' && data !== null && !Array.isArray(data);
}

export function isList(data: Data | undefined): data is readonly Data[] {
  return Array.isArray(data);
}
