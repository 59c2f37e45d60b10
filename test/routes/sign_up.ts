import { createHash } from 'node:crypto';
import { documentKinds } from '../../contract/sign_up.ts';
import type { Examples } from './example.ts';

/**
 * Signing up, and what people agree to. Nobody may sign up on this desk, and what would make every person here accept
 * something first is refused before that: what the calls do is shown by src/accounts/sign_up/sign_up.test.ts.
 */
export const examples: Examples = ({ next, asOwner }) => {
  const agreement = { is_adult: true, accepted: [] };
  const token = 'x'.repeat(43);
  /** A version of a document that holds no more. */
  async function withdrawn(kind: string): Promise<string> {
    const version = `gone-${next()}`;
    await asOwner((sql) =>
      sql.query(
        `WITH made AS (INSERT INTO legal_documents (kind, version, dated, material, text, published_at)
           VALUES ($1, $2, '2026-11-28', false, 'Be kind.', now()) RETURNING number)
         INSERT INTO legal_withdrawals (number, reason, withdrawn_at) SELECT number, 'by mistake', now() FROM made`,
        [kind, version],
      ),
    );
    return version;
  }
  return {
    'GET /api/sign-up': { path: () => '/api/sign-up', status: 200 },
    'POST /api/sign-ups': {
      path: () => '/api/sign-ups',
      body: () => ({
        email: `newcomer-${next()}@shop.example`,
        password: 'a harbour of quiet rope',
        name: 'Nora',
        organisation: 'Yard',
        agreement,
      }),
      status: 403,
      badValues: [
        ['email', 'nobody'],
        ['password', 'short'],
        ['name', ' '],
        ['organisation', 'a\u0000b'],
      ],
    },
    'POST /api/sign-ups/confirmations': {
      path: () => '/api/sign-ups/confirmations',
      body: () => ({ token, password: 'a harbour of quiet rope' }),
      status: 410,
    },
    'POST /api/sign-ups/readings': { path: () => '/api/sign-ups/readings', body: () => ({ token }), status: 410 },
    'POST /api/sign-ups/completions': {
      path: () => '/api/sign-ups/completions',
      body: () => ({ token, name: 'Nora', organisation: 'Yard', agreement }),
      status: 410,
      badValues: [['name', '']],
    },
    'GET /api/desk/sign-up': { own: true, path: () => '/api/desk/sign-up', status: 200 },
    'PUT /api/desk/sign-up': {
      own: true,
      path: () => '/api/desk/sign-up',
      body: () => ({ mode: 'off' }),
      status: 200,
      badValues: [
        ['mode', 'some'],
        ['domains', ['no domain']],
      ],
    },
    'POST /api/desk/sign-up/invitations': {
      own: true,
      path: () => '/api/desk/sign-up/invitations',
      body: () => ({ email: `newcomer-${next()}@shop.example` }),
      // This desk sends no mail.
      status: 409,
      badValues: [['email', 'nobody']],
    },
    'DELETE /api/desk/sign-up/invitations/:id': {
      own: true,
      async path() {
        const { rows } = await asOwner((sql) =>
          sql.query(
            'INSERT INTO sign_up_invitations (digest, address, sent_at, expires_at) VALUES ($1, $2, now(), now()) RETURNING id',
            [createHash('sha256').update(String(next())).digest(), 'none'],
          ),
        );
        return `/api/desk/sign-up/invitations/${rows[0].id}`;
      },
      status: 204,
      badParams: [['/api/desk/sign-up/invitations/first', 'id']],
    },
    'GET /legal': { path: () => '/legal', status: 200 },
    ...Object.fromEntries(
      documentKinds.flatMap((kind) => [
        [`GET /legal/${kind}`, { path: () => withdrawn(kind).then(() => `/legal/${kind}`), status: 200 }],
        [`GET /legal/${kind}/:version`, { path: () => `/legal/${kind}/none`, status: 404 }],
      ]),
    ),
    'GET /api/legal-documents': { path: () => '/api/legal-documents', status: 200 },
    'GET /api/desk/legal-documents': { own: true, path: () => '/api/desk/legal-documents', status: 200 },
    'POST /api/desk/legal-documents': {
      own: true,
      path: () => '/api/desk/legal-documents',
      body: () => ({ kind: 'terms', version: '1', dated: '2999-01-01', material: true, text: 'Be kind.' }),
      status: 400,
      badValues: [
        ['kind', 'other'],
        ['dated', 'today'],
        ['text', ' '],
      ],
    },
    'POST /api/desk/legal-documents/:kind/:version/withdrawals': {
      own: true,
      // One that is withdrawn already: one that holds would be asked of everybody here.
      path: async () => `/api/desk/legal-documents/terms/${await withdrawn('terms')}/withdrawals`,
      body: () => ({ reason: 'published by mistake' }),
      status: 409,
      badValues: [['reason', ' ']],
      badParams: [['/api/desk/legal-documents/other/1/withdrawals', 'kind']],
    },
    'GET /api/account/agreements': { own: true, path: () => '/api/account/agreements', status: 200 },
    'POST /api/account/agreements': {
      own: true,
      path: () => '/api/account/agreements',
      body: () => ({ accepted: [] }),
      status: 200,
      badValues: [['accepted', [{ kind: 'terms' }]]],
    },
  };
};
