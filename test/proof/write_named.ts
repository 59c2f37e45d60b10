import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './kit.ts';
import { namedInSources } from './named_sources.ts';

/** `node test/proof/write_named.ts`: writes down which tests and proofs name which requirement, for the page Trust, Proof. */
const named = await namedInSources();
writeFileSync(
  join(repository, 'src/trust/proof/named.txt'),
  named.map(({ id, kind, file, title }) => `${id}\t${kind}\t${file}\t${title}\n`).join(''),
);
process.stdout.write(`${named.length} lines, ${new Set(named.map(({ id }) => id)).size} requirements\n`);
process.exit(0);
