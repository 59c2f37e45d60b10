import { LinkedAccounts } from './identities.tsx';
import { Passkeys } from './passkeys.tsx';

/** What one signs in with. */
export function AccountSecurity() {
  return (
    <div className="settings wide">
      <Passkeys />
      <LinkedAccounts />
    </div>
  );
}
