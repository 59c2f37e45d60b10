import type { Receiver, RegisterAnswer } from '../../contract/register.ts';

const ago = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();

const row = (of: Pick<Receiver, 'id' | 'label' | 'role' | 'why' | 'sent'> & Partial<Receiver>): Receiver => ({
  ...{ classes: [], hosts: [], chosen_by: null, legal_name: null, country: null, basis: null, contract: null },
  ...{ contract_on: null, policy_url: null, terms_url: null, checked_on: null, version: 0, missing: [] },
  ...{ refused_because: null, calls: 0, last_call: null, refusals: [] },
  ...of,
});

const own = [
  row({
    ...{ id: 'self', label: 'This desk itself', role: 'own', why: 'Looks whether its public address leads here.' },
    ...{ sent: 'A request without content', hosts: ['desk.example'], calls: 4, last_call: ago(0.02) },
  }),
  row({
    ...{ id: 'sites', label: 'Sites of this desk', role: 'own', why: 'Looks whether the snippet is on the home page.' },
    ...{ sent: 'A request without content', calls: 31, last_call: ago(0.1) },
    chosen_by: 'who adds a site; a redirect of its home page is followed',
  }),
];

const others = [
  row({
    ...{ id: 'mail', label: 'Mail server', role: 'processor', hosts: ['mail.desk.example'], classes: ['D7', 'D16'] },
    why: 'Delivers the mail of this desk: verification, invitation, reset, notices, reports.',
    sent: 'The address and the text of each message',
    ...{ legal_name: 'Post of the desk', country: 'DE', contract: 'Folder 3', contract_on: '2026-01-31', version: 2 },
    ...{ policy_url: 'https://mail.desk.example/privacy', terms_url: 'https://mail.desk.example/terms' },
    checked_on: '2026-11-02',
  }),
  row({
    ...{ id: 'google', label: 'Google sign-in', role: 'controller', classes: ['D7', 'D9'] },
    hosts: ['accounts.google.com', 'oauth2.googleapis.com', 'www.googleapis.com', 'openidconnect.googleapis.com'],
    why: 'Signs people in who choose Google.',
    sent: 'The code of the sign-in, and the id and secret of this desk. It answers with name, address and picture; the picture is not taken.',
    ...{ legal_name: 'Google LLC', country: 'US', policy_url: 'https://policies.google.com/privacy' },
    missing: ['what the transfer rests on', 'the day on which policy and terms were last read'],
    refused_because:
      'this desk is pinned to EEA, CH, Google sign-in processes in US, and nothing is stated that a transfer rests on',
    ...{ calls: 12, last_call: ago(3), refusals: [{ reason: 'region_refused' as const, count: 2 }] },
  }),
];

/** The register of a desk with a pin; a new one calls nobody else. */
export function registerOf(path: string, isEmpty: boolean): RegisterAnswer | undefined {
  if (!/^\/api\/organisations\/[^/]+\/subprocessors$/.test(path)) return undefined;
  return {
    receivers: isEmpty ? own : [...others, ...own],
    pinned_to: isEmpty ? [] : ['eea', 'ch'],
    unregistered: isEmpty ? [] : [{ purpose: 'plan.crawl', count: 3 }],
    counted_since: ago(6),
  };
}
