import { namedTest } from './drivers/named_test.ts';
import type { Proof } from './kit.ts';

/** Promises about keeping, consent and sharing that tests of `npm test` show; here each runs alone, and against a copy without its guard. */
export const proofs: readonly Proof[] = [
  namedTest({
    id: 'RET-12',
    title: 'What a hold matches stays past its window, and nothing else does.',
    file: 'test/windows.test.ts',
    minutes: 2,
    sabotage: {
      name: 'a hold on a site keeps nothing',
      file: 'src/trust/windows/holds.ts',
      find: 'else if (hold.site_id !== null) scope.siteIds.add(hold.site_id);',
      replace: 'else if (hold.site_id !== null) void scope.siteIds;',
    },
  }),
  namedTest({
    id: 'RET-14',
    title: 'There is no waiting list, and none can be stored for longer than 12 months after it was resolved.',
    file: 'test/windows.test.ts',
    minutes: 1,
    sabotage: {
      name: 'a waiting list may be kept for ten years',
      file: 'src/trust/windows/stored.ts',
      find: 'D20: { months: 12 },',
      replace: 'D20: { months: 120 },',
    },
  }),
  namedTest({
    id: 'RET-16',
    title: 'There is no correspondence, and none can be stored for longer than 24 months.',
    file: 'test/windows.test.ts',
    minutes: 1,
    sabotage: {
      name: 'correspondence has no longest window',
      file: 'src/trust/windows/stored.ts',
      find: 'D21: { months: 24 },',
      replace: '',
    },
  }),
  namedTest({
    id: 'RET-17',
    title: 'What a night removes leaves a receipt with what went, and is looked at afterwards.',
    file: 'test/windows.test.ts',
    minutes: 2,
    sabotage: {
      name: 'the receipt says that nothing went',
      file: 'src/trust/windows/night.ts',
      find: '...[id, JSON.stringify(ended.map(shown)), rows],',
      replace: "...[id, '[]', 0],",
    },
  }),
  namedTest({
    id: 'COL-04',
    title: 'Storage mode starts for exactly data-persistence="storage".',
    file: 'test/browser/storage.test.ts',
    minutes: 1,
    sabotage: {
      name: 'any value starts it',
      file: 'sdk/src/tracker.ts',
      find: "if (data.persistence === 'storage')",
      replace: 'if (data.persistence)',
    },
  }),
  namedTest({
    id: 'COL-05',
    title: 'Storage mode keeps 128 random bits and the visit, and nothing that the published list lacks.',
    file: 'test/browser/storage.test.ts',
    minutes: 1,
    sabotage: {
      name: 'the id has 32 bits',
      file: 'sdk/src/storage.ts',
      find: 'crypto.getRandomValues(new Uint8Array(16))',
      replace: 'crypto.getRandomValues(new Uint8Array(4))',
    },
  }),
  namedTest({
    id: 'CON-03',
    title: 'What is optional is off until the person agrees.',
    file: 'src/trust/consent/records.test.ts',
    minutes: 1,
    sabotage: {
      name: 'silence is a yes',
      file: 'src/trust/consent/records.ts',
      find: "return row?.state === 'given';",
      replace: "return (row?.state ?? 'given') === 'given';",
    },
  }),
  namedTest({
    id: 'CON-05',
    title:
      'Consent signals are read as their specifications say, and what cannot be read is a no where consent is asked for.',
    file: 'src/trust/consent/consent.test.ts',
    minutes: 1,
    sabotage: {
      name: 'an unknown region asks for no consent',
      file: 'contract/consent.ts',
      find: "['eea', 'uk', 'ch', 'unknown']",
      replace: "['eea', 'uk', 'ch']",
    },
  }),
  namedTest({
    id: 'SHR-02',
    title: 'A call without a row of the register does not leave, also behind a redirect.',
    file: 'src/trust/register/register.test.ts',
    minutes: 1,
    sabotage: {
      name: 'whoever has no row may be called',
      file: 'src/trust/register/judge.ts',
      find: "if (row === undefined) return 'not_registered';",
      replace: 'if (row === undefined) return undefined;',
    },
  }),
  namedTest({
    id: 'SHR-03',
    title: 'The mail server is told one address, the sender and the text, and no header beyond a closed list.',
    file: 'src/platform/mail/mail.test.ts',
    minutes: 1,
    sabotage: {
      name: 'the mail says which program wrote it',
      file: 'src/platform/mail/transport.ts',
      find: "'Auto-Submitted': 'auto-generated',",
      replace: "'Auto-Submitted': 'auto-generated', 'X-Desk': messageId,",
    },
  }),
  namedTest({
    id: 'SHR-04',
    title: 'The register is red while name, country, contract or basis of somebody who receives is not stated.',
    file: 'src/app/prove.test.ts',
    minutes: 1,
    sabotage: {
      name: 'no contract is asked for',
      file: 'src/trust/register/register_check.ts',
      find: "  'the processing contract',\n",
      replace: '',
    },
  }),
  namedTest({
    id: 'SHR-07',
    title: 'A desk with a pin sends nothing to another region without a stated basis.',
    file: 'src/trust/register/register.test.ts',
    minutes: 1,
    sabotage: {
      name: 'a country that nobody knows is inside',
      file: 'src/trust/register/judge.ts',
      find: 'if (region !== undefined && pinnedTo.includes(region)) return undefined;',
      replace: 'if (region === undefined || pinnedTo.includes(region)) return undefined;',
    },
  }),
];
