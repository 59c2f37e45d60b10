import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';
import type { Named } from '../../src/trust/proof/named.ts';
import { allProofs, repository } from './kit.ts';

/** An id of the ledger stands in brackets at the end of a title: "… (PSE-03)", "… (AUT-04, AUT-06)". */
export function idsIn(title: string): string[] {
  return [...title.matchAll(/\(([^()]*)\)/g)].flatMap(([, words = '']) =>
    [...words.matchAll(/\b[A-Z]{2,3}-\d\d\b/g)].map(([id]) => id),
  );
}

/** Every title of a test and every proof of the kit that names a requirement, sorted. */
export async function namedInSources(): Promise<Named[]> {
  const found: Named[] = [];
  for (const file of testFiles()) {
    const text = readFileSync(join(repository, file), 'utf8');
    if (idsIn(text).length === 0) continue;
    for (const title of titlesIn(file, text))
      for (const id of idsIn(title)) found.push({ id, kind: 'test', file, title });
  }
  // One that is a test is among the tests.
  for (const { id, title, isTest, file } of await proofsWithFiles())
    if (/^[A-Z]{2,3}-\d\d$/.test(id) && !isTest) found.push({ id, kind: 'proof', file, title });
  const key = ({ id, kind, file, title }: Named) => `${id} ${kind} ${file} ${title}`;
  return found.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

async function proofsWithFiles() {
  const proofs = await allProofs();
  const texts = testFiles(/^test\/proof\/[a-z_]+\.ts$/).map((file) => ({
    file,
    text: readFileSync(join(repository, file), 'utf8'),
  }));
  return proofs.map((proof) => ({
    ...proof,
    file: texts.find(({ text }) => text.includes(`'${proof.id}'`))?.file ?? 'test/proof',
  }));
}

function testFiles(wanted = /\.test\.tsx?$/): string[] {
  const args = ['-c', 'safe.directory=*', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  return execFileSync('git', args, { cwd: repository, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
    .split('\0')
    .filter((path) => wanted.test(path))
    .sort();
}

/** Every text of the file, of which only titles carry ids in brackets; comments are none. */
function titlesIn(file: string, text: string): string[] {
  const titles: string[] = [];
  new Visitor({
    Literal(node) {
      if (typeof node.value === 'string') titles.push(node.value);
    },
    TemplateLiteral(node) {
      titles.push(node.quasis.map(({ value }) => value.cooked).join('…'));
    },
  }).visit(parseSync(file, text).program);
  return titles;
}
