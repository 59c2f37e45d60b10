import { useCallback, useEffect, useState } from 'react';
import { AskFirst } from '../controls/ask_first.tsx';
import { ComingRows } from '../controls/coming.tsx';
import type { DeskError } from '../desk/api.ts';
import { asDeskError } from '../desk/api.ts';
import { momentText, readerNames } from '../edge/reader.ts';
import { Failed } from '../overview/states.tsx';
import { agoText } from '../period/words.ts';
import { type AccountSession, people } from './api.ts';
import { Done, Refusal, useAsk } from './use_account.tsx';

const methodWords: Record<string, string> = {
  password: 'password',
  code: 'code',
  'recovery-code': 'recovery code',
  passkey: 'passkey',
  google: 'Google',
  github: 'GitHub',
  oidc: 'another account',
  'set-up-code': 'set-up code',
  'sign-up': 'signing up',
};

/** Where I am signed in. What is not mine is ended here. */
export function AccountSessions() {
  const [sessions, setSessions] = useState<AccountSession[]>();
  const [problem, setProblem] = useState<DeskError>();
  const ask = useAsk();
  const [ended, setEnded] = useState('');
  const [isAsking, setIsAsking] = useState(false);
  const load = useCallback(() => {
    setProblem(undefined);
    people.sessions().then(setSessions, (error: unknown) => setProblem(asDeskError(error)));
  }, []);
  useEffect(load, [load]);

  const end = async (session: AccountSession) => {
    const done = await ask.ask(() => people.endSession(session.id));
    if (done === undefined) return;
    setEnded(`The session of ${session.device} ended.`);
    load();
  };
  const endOthers = async () => {
    const { sessions_ended: count } = await people.endOtherSessions();
    setIsAsking(false);
    await ask.ask(async () => setEnded(`${count} ${count === 1 ? 'session' : 'sessions'} ended.`));
    load();
  };
  const others = sessions?.filter((one) => !one.is_current).length ?? 0;
  return (
    <div className="settings wide">
      <section>
        <h2>Where you are signed in</h2>
        <p>
          A session ends 30 days after signing in, or after 14 days without use. The place is roughly where the address
          was at sign-in; the address itself is not kept.
        </p>
        <Refusal of={ask} />
        <div className="list many">
          {problem !== undefined ? (
            <Failed
              code={problem.code}
              message={problem.message}
              reference={problem.reference}
              onRetry={load}
              what="The sessions could not be read."
            />
          ) : sessions === undefined ? (
            <ComingRows what="your sessions" heads={['Device', 'Place', 'Signed in by', 'Since', 'Last used', '']} />
          ) : (
            <table className="t">
              <thead>
                <tr>
                  <th scope="col">Device</th>
                  <th scope="col">Place</th>
                  <th scope="col">Signed in by</th>
                  <th scope="col">Since</th>
                  <th scope="col">Last used</th>
                  <th scope="col">
                    <span className="vh">Actions</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {sessions.map((session) => (
                  <tr key={session.id}>
                    <td className="fill">
                      <b>{session.device}</b> {session.is_current && <span className="tag">this one</span>}
                    </td>
                    <td data-head="Place">{placeText(session.place)}</td>
                    <td data-head="Signed in by">
                      {session.methods.map((one) => methodWords[one] ?? one).join(' and ') || '–'}
                    </td>
                    <td data-head="Since">
                      <Ago at={session.started_at} />
                    </td>
                    <td data-head="Last used">{session.is_current ? 'now' : <Ago at={session.last_used_at} />}</td>
                    <td className="num">
                      {!session.is_current && (
                        <button
                          type="button"
                          className="btn quiet danger sm"
                          aria-label={`End the session of ${session.device}`}
                          onClick={() => void end(session)}
                        >
                          End
                        </button>
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </div>
        <div className="go">
          {others > 0 && (
            <button type="button" className="btn danger" onClick={() => setIsAsking(true)}>
              End all others
            </button>
          )}
          <Done when={ask.done}>{ended}</Done>
        </div>
        {isAsking && (
          <AskFirst
            title={others === 1 ? 'End the other session?' : `End ${others} other sessions?`}
            act="End all others"
            keep={others === 1 ? 'Keep it' : 'Keep them'}
            onAct={endOthers}
            onClose={() => setIsAsking(false)}
          >
            Whoever sits there is signed out at once, and what is not saved there is lost. You stay signed in here.
          </AskFirst>
        )}
      </section>
    </div>
  );
}

function Ago({ at }: { at: string }) {
  return (
    <time dateTime={at} title={momentText(at)}>
      {agoText(at)}
    </time>
  );
}

/** `DE, Berlin` → `Germany, Berlin`. */
function placeText(place: string): string {
  if (place === '') return 'not known';
  const [country = '', ...rest] = place.split(', ');
  const name = /^[A-Z]{2}$/.test(country) ? (readerNames('region').of(country) ?? country) : country;
  return [name, ...rest].join(', ');
}
