import type { BackupState, MadeRecoveryKey } from '../../../contract/backups.ts';
import type { CheckRun } from '../../../contract/proof.ts';
import type { UsageAnswer } from '../../../contract/usage.ts';
import { call } from '../desk/api.ts';

/** The calls of who runs the desk. */
export const operator = {
  backups: () => call<BackupState>('GET', '/api/backups'),
  /** Begins one. */
  backUp: () => call<void>('POST', '/api/backups'),
  newRecoveryKey: (password: string | undefined) =>
    call<MadeRecoveryKey>('POST', '/api/backups/recovery-keys', {
      body: password === undefined ? {} : { password },
    }),
  usage: () => call<UsageAnswer>('GET', '/api/usage'),
  switchUsage: (isOn: boolean) => call<UsageAnswer>('PUT', '/api/usage', { body: { is_on: isOn } }),
  releaseMail: () => call<void>('POST', '/api/backups/release'),
  runs: () => call<{ runs: CheckRun[] }>('GET', '/api/proof/runs').then(({ runs }) => runs),
  /** Runs every live check now. */
  prove: () => call<CheckRun>('POST', '/api/proof/runs'),
};
