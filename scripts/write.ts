import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';

/**
 * `npm run write`: everything that is written from something else, in the order in which one needs the other. The tests say
 * which of it is old.
 */
const repository = resolve(import.meta.dirname, '..');
const writers = ['scripts/write-destinations.ts', 'test/proof/write_documents.ts', 'test/proof/write_named.ts'];
for (const writer of writers)
  execFileSync(process.execPath, [join(repository, writer)], { cwd: repository, stdio: 'inherit' });
