import type { CheckResult, LiveCheck } from '../../platform/checks.ts';
import type { House } from '../../platform/subject.ts';
import { type Column, findUnclassified, findUnguarded, readPostgresColumns } from '../classes/index.ts';

const shownMax = 5;

/** Reads the live catalogue of both stores: is every table bound to its owner, has every column its class? */
export function catalogueChecks({
  postgres,
  warehouse,
}: Pick<House, 'postgres'> & Partial<Pick<House, 'warehouse'>>): LiveCheck[] {
  return [
    {
      id: 'row-security',
      what: 'row security',
      proves: ['AUT-13'],
      every: 'day',
      audience: 'everyone',
      run: async () =>
        verdict(await postgres.system(findUnguarded), 'every table is bound to its owner by forced row security'),
    },
    {
      id: 'data-classes',
      what: 'data classes',
      proves: [],
      every: 'day',
      audience: 'everyone',
      async run() {
        const columns = await postgres.system(readPostgresColumns);
        if (warehouse !== undefined)
          columns.push(
            ...(await warehouse.read<Column>(
              `SELECT 'warehouse' AS store, table, name AS column, comment FROM system.columns
               WHERE database = currentDatabase() AND NOT startsWith(table, '.') AND table IN
                 (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine NOT LIKE '%View')`,
            )),
          );
        return verdict(findUnclassified(columns), `each of ${columns.length} stored columns has its class`);
      },
    },
  ];
}

function verdict(faults: readonly string[], fact: string): CheckResult {
  return faults.length === 0
    ? { state: 'ok', fact }
    : { state: 'wrong', fact: faults.slice(0, shownMax).join(' '), todo: 'Run fairlead migrate.' };
}
