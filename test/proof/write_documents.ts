import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './kit.ts';
import { productDocuments } from './product_documents.ts';

/** `node test/proof/write_documents.ts`: writes the documents of the product from what it stores and whom it calls. */
const documents = productDocuments();
for (const { path, text } of documents) writeFileSync(join(repository, path), text);
process.stdout.write(`${documents.length} documents\n`);
