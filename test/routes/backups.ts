import type { Examples } from './example.ts';

/** Backups of the desk, for who runs it. The drill goes further: test/journeys/backup.test.ts. */
export const examples: Examples = () => ({
  'GET /api/backups': { path: () => '/api/backups', status: 200 },
  // Without a recovery key there is nothing to begin.
  'POST /api/backups': { path: () => '/api/backups', status: 409 },
  // A password that is none is refused before a hash is made.
  'POST /api/backups/recovery-keys': {
    path: () => '/api/backups/recovery-keys',
    body: () => ({ password: 'short' }),
    status: 400,
    badValues: [['password', 7]],
  },
  'POST /api/backups/release': { path: () => '/api/backups/release', status: 409 },
});
