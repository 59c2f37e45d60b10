import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './kit.ts';

/** The columns that docs/guides/stored-data.md names, as `table.column`: a heading with the table, a row for each column. */
export function columnsInDocument(): string[] {
  const text = readFileSync(join(repository, 'docs/guides/stored-data.md'), 'utf8');
  let table = '';
  return text.split('\n').flatMap((line) => {
    // A heading without a table begins something else, such as the fields of a file.
    if (line.startsWith('## ')) table = /^## .*`(\w+)`/.exec(line)?.[1] ?? '';
    const [, column] = /^\| `(\w+)` \|/.exec(line) ?? [];
    return column === undefined || table === '' ? [] : [`${table}.${column}`];
  });
}
