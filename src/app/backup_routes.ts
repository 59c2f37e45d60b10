import { backupState, madeRecoveryKey, newRecoveryKey } from '../../contract/backups.ts';
import { actOf } from '../platform/audit.ts';
import { defineRoute, RequestError, type Route } from '../platform/http/route.ts';
import { BackupError } from '../trust/backup/index.ts';
import type { Desk } from './desk.ts';

/** Backups, for who runs the desk: what the command line does, but for the restore. */
export function backupRoutes({
  backups,
  releaseMail,
  accounts,
}: Pick<Desk, 'backups' | 'releaseMail' | 'accounts'>): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/backups',
      access: 'operator',
      summary: 'How the desk is backed up: the recovery key, what lies in the folder, what became of each run.',
      answer: backupState,
      handle: async () => ({ body: await backups.state() }),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/backups',
      access: 'operator',
      summary: 'Begins a backup now; the list says what becomes of it.',
      async handle(request) {
        await backups.begin(actOf(request)).catch((error: unknown) => {
          throw error instanceof BackupError ? new RequestError('conflict', error.message) : error;
        });
        return { status: 202 };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/backups/recovery-keys',
      access: 'operator',
      summary: 'Makes a new recovery key and shows it this once. Needs the password.',
      body: newRecoveryKey,
      answer: madeRecoveryKey,
      async handle(request) {
        await accounts.people.proveAgain(request, request.body.password);
        return { status: 201, body: await backups.newKey(actOf(request)) };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/backups/release',
      access: 'operator',
      summary: 'Lets mail of a restored desk go.',
      async handle(request) {
        if (!(await releaseMail(actOf(request))))
          throw new RequestError('conflict', 'This desk holds nothing back: nothing had to be let go.');
        return { status: 204 };
      },
    }),
  ];
}
