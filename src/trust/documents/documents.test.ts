import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repository } from '../../../test/proof/kit.ts';
import { productDocuments, productFacts } from '../../../test/proof/product_documents.ts';
import { purposesDone } from '../consent/index.ts';
import { activities, drawMap, linesOf, nobody, storedClasses, writePaper } from './index.ts';

const written = (path: string) => readFileSync(join(repository, path), 'utf8');

describe('the documents of the product', () => {
  it('are what the code stores and calls, to the letter: an edit by hand, a further window or receiver fails until `node test/proof/write_documents.ts` has written them anew (GOV-02, RET-13, COK-07)', () => {
    const made = productDocuments();
    for (const { path, text } of made) expect(text, `${path}: node test/proof/write_documents.ts`).toBe(written(path));
    expect(readdirSync(join(repository, 'docs/policies')).sort()).toEqual(
      made.map(({ path }) => path.slice('docs/policies/'.length)).sort(),
    );
  });

  it('name every line of the table of windows, every class that is stored and every thing that a browser keeps', () => {
    const facts = productFacts();
    const retention = written('docs/policies/data-processing-and-retention-policy.md');
    for (const { line, kept } of facts.lines)
      expect(retention).toContain(`| ${line.holds} | ${line.class} | ${kept} |`);
    for (const { id, name } of storedClasses()) expect(retention).toContain(`| ${id} ${name} |`);
    const cookies = written('docs/policies/cookie-consent-disclosure.md');
    for (const { name, until } of facts.storage)
      expect(cookies).toMatch(new RegExp(`\\| ${name} \\|.*\\| ${until} \\|`));
    expect(facts.visitorFields.length).toBeGreaterThan(40);
    // Everybody of whom the register has a row, whatever has to be set for it.
    const labels = [...written('src/trust/register/receivers.ts').matchAll(/label: '([^']+)', role: '[pc]/g)];
    expect(labels.length).toBeGreaterThan(6);
    for (const [, label] of labels) expect(written('docs/policies/record-of-processing.md')).toContain(`| ${label}`);
  });

  it('have each stored class in exactly one purpose', () => {
    for (const { id } of storedClasses())
      expect(activities.filter(({ classes }) => classes.includes(id)).map(({ name }) => name)).toHaveLength(1);
  });

  it('say of each purpose what it rests on from the one table, and change with it; an interest is asked for only where one is the basis', () => {
    const facts = productFacts();
    for (const { purpose } of purposesDone(facts.bases))
      expect(
        activities.some(({ purposes }) => purposes.includes(purpose)),
        purpose,
      ).toBe(true);
    for (const { words } of purposesDone(facts.bases))
      expect(linesOf(writePaper('privacy-notice', facts).paper).join('\n')).toContain(words);
    const stricter = (basis: 'consent' | 'off') => ({
      ...facts,
      organisation: { name: 'Shop', slug: 'shop', profile: 'strict' as const, party: nobody, measuringInterest: null },
      bases: {
        purposes: facts.bases.purposes.map((one) =>
          one.purpose === 'measurement' ? { ...one, bases: one.bases.map((of) => ({ ...of, basis })) } : one,
        ),
      },
    });
    for (const kind of ['privacy-notice', 'record-of-processing'] as const) {
      const asks = 'the interest for which visits are measured';
      const own = { ...facts, organisation: stricter('off').organisation };
      expect(writePaper(kind, own).gaps, kind).toContain(asks);
      expect(writePaper(kind, stricter('consent')).gaps, kind).not.toContain(asks);
      const said = (of: typeof own) => linesOf(writePaper(kind, of).paper).join('\n');
      expect(said(own)).toContain('legitimate interest (the EEA, the United Kingdom, Switzerland, elsewhere)');
      expect(said(stricter('off')), kind).toMatch(/Counting visits.*not done/);
    }
  });

  it('say of a database server of one’s own, or a store of backups, that it gets what visitors leave', () => {
    const facts = productFacts();
    const own = { ...facts, receivers: facts.receivers.filter(({ role }) => role === 'own') };
    const said = (of: typeof facts) => linesOf(writePaper('privacy-notice', of).paper).join('\n');
    expect(said(own)).toContain('Nobody else. Places are found in a file');
    const visitors = said(facts).slice(0, said(facts).indexOf('# When you have an account'));
    expect(visitors).toMatch(/Database server[\s\S]*Warehouse server[\s\S]*Object store of the backups/);
    expect(visitors).not.toContain('Nobody else');
  });

  it('change with a window and with a receiver', () => {
    const facts = productFacts();
    const lines = facts.lines.map((one) => (one.line.name === 'audit' ? { ...one, kept: '18 months' } : one));
    const receivers = [...facts.receivers, { ...(facts.receivers.at(-1) as never as object), label: 'Somebody new' }];
    const changed = { ...facts, lines, receivers: receivers as typeof facts.receivers };
    const differs = (kind: 'retention' | 'record-of-processing') => {
      const before = new Set(linesOf(writePaper(kind, facts).paper));
      return linesOf(writePaper(kind, changed).paper).filter((line) => !before.has(line));
    };
    expect(differs('retention')).toEqual([expect.stringContaining('kept: 18 months')]);
    expect(differs('record-of-processing').join('\n')).toMatch(/18 months[\s\S]*Somebody new/);
  });
});

it('a picture of the map holds words and no markup of who entered them', () => {
  const boxes = [{ id: 'a', title: '<script>alert(1)</script>', words: '"&' }];
  const drawn = drawMap([{ title: 'x"><b>', boxes }], [], '<i>');
  expect(drawn).not.toMatch(/<(script|b|i)>/);
  expect(drawn).toContain('&lt;script&gt;');
});
