import { readFileSync } from 'node:fs';

/** A test or a proof of the kit whose title or id names a requirement. */
export interface Named {
  readonly id: string;
  readonly kind: 'test' | 'proof';
  /** Below the root of the product. */
  readonly file: string;
  readonly title: string;
}

/**
 * What shows each requirement. The list is made from the sources by `node test/proof/write_named.ts`; a test fails when it
 * and the sources differ.
 */
export function readNamed(): Named[] {
  return readFileSync(new URL('./named.txt', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [id = '', kind = '', file = '', title = ''] = line.split('\t');
      return { id, kind: kind as Named['kind'], file, title };
    });
}
