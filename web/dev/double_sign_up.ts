import type { OwnConsents } from '../../contract/consent_records.ts';
import type {
  Agreements,
  PublishedDocument,
  SignUpReading,
  SignUpSettings,
  SignUpState,
} from '../../contract/sign_up.ts';

const at = (daysAgo: number) => new Date(Date.now() - daysAgo * 86_400_000).toISOString();
const version = (kind: PublishedDocument['kind'], name: string, daysAgo: number): PublishedDocument => ({
  ...{ kind, version: name, dated: at(daysAgo).slice(0, 10), path: `/legal/${kind}/${name}` },
  ...{ material: true, published_at: at(daysAgo), acceptances: Math.round(daysAgo * 3.7), is_current: daysAgo < 100 },
  ...{ withdrawn_at: null, withdrawn_reason: null },
});
const published = [
  {
    ...version('terms', '2026-11-b', 2),
    is_current: false,
    withdrawn_at: at(1),
    withdrawn_reason: 'the text of another desk',
  },
  version('terms', '2026-11', 4),
  version('processing', '1', 12),
  version('privacy', '2', 40),
  version('terms', '2026-01', 320),
];
const documents = published.filter((one) => one.is_current);

/** Signing up on a desk that lets everybody in and has published two documents. @returns undefined for another call */
export function signUpOf(method: string, path: string): { status: number; body?: unknown } | undefined {
  const found = answers[path];
  if (found !== undefined) return { status: method === 'POST' ? 202 : 200, body: found };
  return undefined;
}

const answers: Record<string, unknown> = {
  '/api/sign-up': { mode: 'open', mail_is_on: true, documents, missing: [] } satisfies SignUpState,
  '/api/sign-ups': {},
  '/api/sign-ups/readings': {
    ...{ kind: 'provider', email: 'nora@yard.example', name: 'Nora Quay', provider_name: 'Google' },
    ...{ organisation: null, documents },
  } satisfies SignUpReading,
  '/api/legal-documents': { documents },
  '/api/desk/legal-documents': { documents: published },
  '/api/desk/sign-up': {
    ...{ mode: 'domains', domains: ['shop.example', 'team.shop.example'], mail_is_on: true, missing: [] },
    invitations: [
      { id: 2, email: 'nora@yard.example', sent_at: at(1), expires_at: at(-6), expired: false },
      {
        id: 1,
        email: 'a.very.long.name.of.somebody@harbour.example',
        sent_at: at(9),
        expires_at: at(2),
        expired: true,
      },
    ],
  } satisfies SignUpSettings,
  '/api/account/consents': {
    consents: [
      {
        ...{ purpose: 'marketing_mail', text_version: '2026-11', is_given: true, at: at(12) },
        text: 'Whoever runs this desk may write to me about news and offers. I can take this back here at any time.',
      },
      {
        ...{ purpose: 'optional_ai', text_version: '2026-11', is_given: false, at: null },
        text: 'Optional AI features may work on figures that I can see. No data of visitors leaves the desk for it. I can take this back here at any time.',
      },
      {
        ...{ purpose: 'optional_analytics', text_version: '2026-11-30', is_given: false, at: at(3) },
        text: 'Whoever runs this desk may count which pages of the dashboard I open and which of its features I use. I can take this back here at any time.',
      },
    ],
  } satisfies OwnConsents,
  '/api/account/agreements': {
    due: documents.slice(0, 1),
    accepted: [
      { kind: 'privacy', version: '2', path: '/legal/privacy/2', accepted_at: at(38), withdrawn_at: null },
      { kind: 'terms', version: '2026-01', path: '/legal/terms/2026-01', accepted_at: at(300), withdrawn_at: null },
      { kind: 'age', version: '18', path: null, accepted_at: at(300), withdrawn_at: null },
    ],
  } satisfies Agreements,
};
