import type { FileClass } from '../../platform/spool/index.ts';
import { classes } from './classes.ts';

const byId = new Map<string, (typeof classes)[number]>(classes.map((one) => [one.id, one]));

/**
 * @param paths files of the data directory, relative to it, with forward slashes.
 * @returns a sentence for every file that nobody declares, and every declaration with a class it may not have.
 */
export function findUndeclared(paths: readonly string[], declared: readonly FileClass[]): string[] {
  const wrong = declared.flatMap(({ path, classes: ids }) => {
    if (ids.length === 0) return [`The files ${path} have no data class: name at least one of D1 … D25.`];
    return ids.flatMap((id) => {
      const found = byId.get(id);
      if (found === undefined) return [`The files ${path} have the class ${id}, which does not exist.`];
      return found.neverAtRest
        ? [`The files ${path} are said to hold ${id} ${found.name}, which is never stored.`]
        : [];
    });
  });
  const patterns = declared.map(({ path }) => toPattern(path));
  const strangers = paths.filter((path) => !patterns.some((pattern) => pattern.test(path)));
  return [...wrong, ...strangers.map((path) => `Nobody declares the file ${path}: say which data class it holds.`)];
}

/** `*` matches within one segment, `**` any depth. */
function toPattern(glob: string): RegExp {
  const source = glob
    .split(/(\*\*|\*)/)
    .map((part) => (part === '**' ? '.*' : part === '*' ? '[^/]*' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')))
    .join('');
  return new RegExp(`^${source}$`);
}
