/** The captured request as rows of a tree, each with the path that a mapping would name it by. */
export interface TreeRow {
  path: string;
  name: string;
  depth: number;
  /** What it holds, in a word; `text` and the like for a value. */
  kind: 'list' | 'object' | 'text' | 'number' | 'yes_no' | 'none';
  text: string;
  isOpen: boolean;
}

/** A name that may stand behind a dot as it is; any other is quoted. */
const bare = /^[^.[\]"'$\s][^.[\]"']*$/;

export function childPath(parent: string, name: string): string {
  if (bare.test(name) && name.trimEnd() === name) return parent === '' ? name : `${parent}.${name}`;
  return `${parent}["${name.replaceAll('"', '')}"]`;
}

/** Lists longer than that are shown by their first items: a mapping reads all of them alike. */
const itemsShown = 20;

export function treeRows(data: unknown, root: string, closed: ReadonlySet<string>): TreeRow[] {
  const rows: TreeRow[] = [];
  const walk = (value: unknown, path: string, name: string, depth: number) => {
    const isOpen = !closed.has(path);
    if (Array.isArray(value)) {
      rows.push({ path, name, depth, kind: 'list', text: `[ ${value.length} ]`, isOpen });
      if (isOpen)
        for (const [at, item] of value.slice(0, itemsShown).entries())
          walk(item, `${path}[${at}]`, String(at), depth + 1);
    } else if (typeof value === 'object' && value !== null) {
      const names = Object.entries(value);
      rows.push({ path, name, depth, kind: 'object', text: `{ ${names.length} }`, isOpen });
      if (isOpen) for (const [inner, item] of names) walk(item, childPath(path, inner), inner, depth + 1);
    } else rows.push({ path, name, depth, isOpen, ...leafOf(value) });
  };
  if (typeof data === 'object' && data !== null && !Array.isArray(data))
    for (const [name, value] of Object.entries(data)) walk(value, childPath(root, name), name, 0);
  return rows;
}

function leafOf(value: unknown): Pick<TreeRow, 'kind' | 'text'> {
  if (typeof value === 'string') return { kind: 'text', text: `"${value}"` };
  if (typeof value === 'number') return { kind: 'number', text: String(value) };
  if (typeof value === 'boolean') return { kind: 'yes_no', text: String(value) };
  return { kind: 'none', text: 'null' };
}

/** `lines[1].sku` is of the items of `lines[*]`, as `sku`. */
export function pathInItems(path: string): { each: string; path: string } | undefined {
  const found = /^(.*)\[\d+\]\.([^[\]]+)$/.exec(path);
  return found === null ? undefined : { each: `${found[1]}[*]`, path: found[2] as string };
}
