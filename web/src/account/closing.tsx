import { useState } from 'react';
import type { ClosingPreview } from '../../../contract/account_closing.ts';
import { Link, navigate } from '../address/navigate.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { resting } from '../controls/resting.ts';
import { useDesk } from '../desk/session.tsx';
import { saveFile } from '../edge/browser.ts';
import { type Account, people } from './api.ts';
import { ProveDialog } from './prove_dialog.tsx';
import { Refusal, useAsk } from './use_account.tsx';

/** Closing one's own account: what goes and what stays is said before the password is asked for. */
export function CloseAccount({ account }: { account: Account }) {
  const { enter } = useDesk();
  const [preview, setPreview] = useState<ClosingPreview>();
  const [isTaking, setTaking] = useState(false);
  const ask = useAsk();
  const open = async () => {
    const done = await ask.ask(people.closingPreview);
    if (done !== undefined) setPreview(done.answer);
  };
  const close = () => setPreview(undefined);
  return (
    <section>
      <h2>Close the account</h2>
      <p>For 30 days signing in takes it back. Then your name, your address and how you sign in are deleted.</p>
      <p>Take along first what is stored about you: one ZIP, to read and for programs.</p>
      <Refusal of={ask} />
      <div className="go">
        <button type="button" className="btn" onClick={() => setTaking(true)}>
          Download what is stored about me…
        </button>{' '}
        <button type="button" className="btn danger" onClick={() => void open()} {...resting(ask.asking)}>
          Close the account…
        </button>
      </div>
      {isTaking && (
        <ProveDialog
          account={account}
          title="Download what is stored about you?"
          act="Download"
          onProve={async (password) => {
            const day = new Date().toISOString().slice(0, 10);
            saveFile(`account-${day}.zip`, await people.archive(password));
            setTaking(false);
          }}
          onClose={() => setTaking(false)}
        >
          <p>
            One ZIP with your profile, sessions, choices, notifications and what you did, without passwords and other
            secrets. Whoever has the file can read all of it.
          </p>
        </ProveDialog>
      )}
      {preview !== undefined &&
        (preview.blocked_by.length > 0 ? (
          <Blocked preview={preview} onClose={close} />
        ) : (
          <ProveDialog
            account={account}
            title="Close your account?"
            act={`Close in ${preview.days} days`}
            keep="Keep it"
            isDangerous
            onProve={async (password) => {
              const { until } = await people.closeAccount(password);
              // Signed out first: the page for signing in sends on whoever is still here, and its sentence would be lost.
              await enter();
              navigate(`/sign-in?closing=${until.slice(0, 10)}`, { replace: true });
            }}
            onClose={close}
          >
            <p>
              Every session ends now. Sign in within {preview.days} days, and nothing has happened. You get a mail about
              it, and another when it is done.
            </p>
            <p>
              <button
                type="button"
                className="link"
                onClick={() => {
                  close();
                  setTaking(true);
                }}
              >
                Download what is stored about you
              </button>{' '}
              first, if you want to keep it.
            </p>
            <h3>What goes then</h3>
            <ul>
              <li>your name, address, picture, password, passkeys, authenticator and linked accounts</li>
              <li>your notifications, and the list of what was mailed to you</li>
              {preview.organisations.length > 0 && (
                <li>your place in {preview.organisations.map(({ name }) => name).join(', ')}</li>
              )}
              {preview.api_keys.length > 0 && (
                <li>
                  API keys that you made, so what uses them stops:{' '}
                  {preview.api_keys.map(({ name, organisation }) => `${name} (${organisation})`).join(', ')}
                </li>
              )}
              {preview.reports > 0 && <li>{preview.reports} reports by mail</li>}
            </ul>
            <h3>What stays</h3>
            <ul>
              <li>sites, goals, shares and numbers: they belong to the organisation</li>
              <li>what you did, in the audit log, under a number and without your name</li>
              <li>which documents that number accepted, and when</li>
            </ul>
          </ProveDialog>
        ))}
    </section>
  );
}

function Blocked({ preview, onClose }: { preview: ClosingPreview; onClose: () => void }) {
  return (
    <Dialog label="Close your account" className="small" onClose={onClose}>
      <h2>You are the only owner</h2>
      <div className="q2 fate">
        <p>An organisation always has an owner. Hand each of these on, or close it, then close your account.</p>
        <ul>
          {preview.blocked_by.map(({ name, slug }) => (
            <li key={slug}>
              <Link className="link" href={`/o/${slug}/settings`}>
                {name}
              </Link>
            </li>
          ))}
        </ul>
      </div>
      <div className="editor-foot">
        <button type="button" className="btn quiet" onClick={onClose}>
          Back
        </button>
      </div>
    </Dialog>
  );
}
