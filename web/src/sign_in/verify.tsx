import { useState } from 'react';
import { people } from '../account/api.ts';
import { useAsk } from '../account/use_account.tsx';
import { Link } from '../address/navigate.tsx';
import { resting } from '../controls/resting.ts';
import { useDesk } from '../desk/session.tsx';
import { PlainPage } from '../shell/plain.tsx';
import { takeToken } from './fragment.ts';

/** Coming by the link of a mail. One press confirms: programs that look into mails open links, and press nothing. */
export function VerifyPage() {
  const [token] = useState(takeToken);
  const [changed, setChanged] = useState(false);
  const { enter } = useDesk();
  const ask = useAsk();
  const confirm = async () => {
    const done = await ask.ask(() => people.confirmEmail(token ?? ''));
    if (done === undefined) return;
    setChanged(done.answer.changed);
    void enter();
  };
  if (ask.done)
    return (
      <PlainPage title="The address is confirmed" narrow>
        <h1>The address is confirmed</h1>
        <p className="lede" role="status">
          {changed ? 'From now on you sign in with it.' : 'Mails of this desk reach you there.'}
        </p>
        <Link className="btn main-act" href="/">
          Open my sites
        </Link>
      </PlainPage>
    );
  if (token === undefined || ask.refusal !== undefined)
    return (
      <PlainPage title="This link does not work" narrow>
        <h1>This link does not work</h1>
        <p className="lede" role="alert">
          {ask.refusal?.message ?? 'It was cut short. Open it from the mail again, whole.'}
        </p>
        <Link className="btn" href="/account">
          Open my account
        </Link>
      </PlainPage>
    );
  return (
    <PlainPage title="Confirm the address" narrow>
      <h1>Confirm the address</h1>
      <p className="lede">You came by a link that was mailed to you. Confirm that the mailbox is yours.</p>
      <button type="button" className="btn main-act" {...resting(ask.asking)} onClick={() => void confirm()}>
        Confirm the address
      </button>
    </PlainPage>
  );
}
