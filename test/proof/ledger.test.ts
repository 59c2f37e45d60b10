import { expect, test } from 'vitest';
import { ledger, readNamed, subjectOf } from '../../src/trust/proof/index.ts';
import { idsIn, namedInSources } from './named_sources.ts';

const known = new Map(ledger.map((one) => [one.id, one]));

test('the ledger of the product has its 179 requirements, each once and of a subject', () => {
  expect(ledger).toHaveLength(179);
  expect(known.size).toBe(179);
  for (const { id } of ledger) expect(subjectOf(id)).not.toBe('');
});

test('the list of named tests and proofs is that of the sources: run node test/proof/write_named.ts', async () => {
  expect(readNamed()).toEqual(await namedInSources());
});

test('every test and proof that names a requirement names one that is there', () => {
  expect(readNamed().filter(({ id }) => !known.has(id))).toEqual([]);
});

test('what is said to be kept is shown by a test or proof, and what is not says what is missing', () => {
  const shown = new Set(readNamed().map(({ id }) => id));
  for (const { id, standing, by, missing, capability, control, promise } of ledger) {
    expect(promise, id).toMatch(/^\S.*\.$/);
    if (standing === 'kept')
      expect([shown.has(by ?? id), control], `${id} is said to be kept`).toEqual([true, expect.stringMatching(/\S/)]);
    else expect(shown.has(id) && standing !== 'partly', `${id} is ${standing}, and a test names it`).toBe(false);
    if (standing === 'partly' || standing === 'open') expect(missing, id).toMatch(/^\S.*\.$/);
    if (standing === 'later') expect(capability, id).toBeDefined();
    if (by !== undefined) expect(known.get(by)?.standing, `${id} is shown by ${by}`).toBe('kept');
  }
});

test('ids are read from brackets alone', () => {
  expect(idsIn('a salt a day, and ten minutes of grace (PSE-03, R3)')).toEqual(['PSE-03']);
  expect(idsIn('the proof of COL-01, 02 and 03 notices')).toEqual([]);
});
