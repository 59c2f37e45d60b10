import type { FormEvent } from 'react';
import { useCallback, useState } from 'react';
import type { AlertHook, AlertPost } from '../../../contract/alert_hooks.ts';
import { alertLimits, type PostedKind, postedKinds } from '../../../contract/alert_kinds.ts';
import { Done, Refusal, useAsk } from '../account/use_account.tsx';
import { AskFirst } from '../controls/ask_first.tsx';
import { ComingForm } from '../controls/coming.tsx';
import { CopyButton } from '../controls/copy.tsx';
import { Field, keepFocus } from '../controls/field.tsx';
import { Glyph } from '../controls/icons.tsx';
import { resting } from '../controls/resting.ts';
import { takeFocus } from '../controls/take_focus.ts';
import { useReading } from '../desk/reading.ts';
import { may, type Organisation } from '../desk/session.tsx';
import { momentText } from '../edge/reader.ts';
import { Empty, Failed } from '../overview/states.tsx';
import { Toggle } from '../settings/toggle.tsx';
import { deniedText } from './denied.tsx';
import './organisation.css';
import { alertHooks } from './wire.ts';

/** Where are alerts posted to, and do they arrive? */
export function OrganisationAlerts({ organisation }: { organisation: Organisation }) {
  if (!may(organisation, 'organisation.manage'))
    return (
      <div className="settings wide">
        <Empty title={deniedText('the address for alerts', organisation)}>
          Alerts of {organisation.name} can be posted to a system of yours. Owners and admins set where to.
        </Empty>
      </div>
    );
  return <Alerts organisation={organisation} />;
}

function Alerts({ organisation: { id } }: { organisation: Organisation }) {
  const { answer, problem, reload, set } = useReading(useCallback(() => alertHooks.read(id), [id]));
  const [secret, setSecret] = useState<string>();
  const [asked, setAsked] = useState<'secret' | 'remove'>();
  if (problem !== undefined)
    return (
      <div className="list">
        <Failed {...problem} reference={problem.reference} onRetry={reload} what="The address could not be read." />
      </div>
    );
  if (answer === undefined) return <ComingForm what="the address for alerts" fields={3} />;
  const { hook } = answer;
  const keep = (next: AlertHook) => set({ hook: next });
  return (
    <div className="settings wide">
      <section>
        <h2>Alerts by webhook</h2>
        <p>
          What owners and admins are told of in the app and by mail is posted as JSON to an https address too: silence,
          refusals and stops of the relay, connections that end, requests and reviews that are due. Nobody is named in
          it.
        </p>
        {secret !== undefined && (
          <div className="note ok reached" role="status" ref={takeFocus} tabIndex={-1}>
            <div>
              <b>The secret for signatures.</b> This is the only time it is shown; put it where your system checks them.
              <div className="secret">
                <code>{secret}</code>
                <CopyButton text={secret} label="Copy the secret" />
              </div>
              <button type="button" className="link" onClick={() => setSecret(undefined)}>
                I have it, hide it
              </button>
            </div>
          </div>
        )}
        {hook !== null && <Standing hook={hook} />}
        <HookForm
          key={hook === null ? 'none' : JSON.stringify([hook.host, hook.kinds, hook.is_active])}
          organisation={id}
          hook={hook}
          onSaved={(made) => {
            keep(made.hook);
            if (made.secret !== null) setSecret(made.secret);
          }}
        />
      </section>
      {hook !== null && (
        <>
          <Posts organisation={id} hook={hook} onTested={keep} />
          <section>
            <h2>Secret and end</h2>
            <p>Each message is signed as Standard Webhooks has it, so that your system knows that this desk sent it.</p>
            {hook.former_until !== null && (
              <p className="note">
                <span>The secret before signs each message too, until {momentText(hook.former_until)}.</span>
              </p>
            )}
            <div className="go">
              <button type="button" className="btn" onClick={() => setAsked('secret')}>
                Replace the secret
              </button>
              <button type="button" className="btn danger" onClick={() => setAsked('remove')}>
                Remove the address
              </button>
            </div>
          </section>
        </>
      )}
      {asked === 'secret' && (
        <AskFirst
          title="Replace the secret for signatures?"
          act="Make a new secret"
          onAct={async () => {
            const made = await alertHooks.newSecret(id);
            keep(made.hook);
            setSecret(made.secret ?? undefined);
            setAsked(undefined);
            window.scrollTo(0, 0);
          }}
          onClose={() => setAsked(undefined)}
        >
          The new one is shown once. For {alertLimits.rotationHours} hours each message is signed with both, so that
          your system goes on while you put it there; one that was replaced before signs no more.
        </AskFirst>
      )}
      {asked === 'remove' && hook !== null && (
        <AskFirst
          title={`Post no alerts to ${hook.host}?`}
          act="Remove the address"
          onAct={async () => {
            await alertHooks.remove(id);
            setSecret(undefined);
            set({ hook: null });
            setAsked(undefined);
          }}
          onClose={() => setAsked(undefined)}
        >
          The address, its secret and the list of what was posted go. People are told in the app and by mail as before.
        </AskFirst>
      )}
    </div>
  );
}

function Standing({ hook }: { hook: AlertHook }) {
  if (!hook.is_active)
    return (
      <p className="note">
        <span>
          Set to <b dir="ltr">{hook.host}</b>, and switched off: nothing is posted.
        </span>
      </p>
    );
  if (hook.failing_since !== null)
    return (
      <p className="note warn" role="status">
        <Glyph state="idle" />
        <span>
          <b dir="ltr">{hook.host}</b> has taken nothing since {momentText(hook.failing_since)}. Each alert is tried ten
          times over three days.
        </span>
      </p>
    );
  return (
    <p className="note ok">
      <Glyph state="ok" />
      <span>
        Alerts are posted to <b dir="ltr">{hook.host}</b>.
      </span>
    </p>
  );
}

const kindWords: Record<PostedKind, { label: string; help: string }> = {
  relay: { label: 'Conversion relay', help: 'Silence, refusals, what is withheld, does not map, waits or stands.' },
  organisation: {
    label: 'Organisation',
    help: 'Connections that end, requests of data subjects that come or are due.',
  },
  security: { label: 'Security', help: 'Reviews of access, legal holds, clocks of incidents, reported concerns.' },
};

function HookForm({
  organisation,
  hook,
  onSaved,
}: {
  organisation: number;
  hook: AlertHook | null;
  onSaved: (made: Awaited<ReturnType<typeof alertHooks.change>>) => void;
}) {
  const ask = useAsk();
  const [url, setUrl] = useState('');
  const [kinds, setKinds] = useState<readonly PostedKind[]>(hook?.kinds ?? postedKinds);
  const [isActive, setActive] = useState(hook?.is_active ?? true);
  const isSame =
    url.trim() === '' && hook !== null && isActive === hook.is_active && String(kinds) === String(hook.kinds);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (isSame || ask.asking) return;
    const done = await ask.ask(() =>
      alertHooks.change(organisation, {
        ...((url.trim() !== '' || hook === null) && { url: url.trim() }),
        kinds: [...kinds],
        is_active: isActive,
      }),
    );
    if (done !== undefined) onSaved(done.answer);
  };
  return (
    <form className="form" onSubmit={send} noValidate>
      <Field
        label={hook === null ? 'Address' : 'Another address'}
        optional={hook !== null}
        help={
          hook === null
            ? 'By https. It is sealed, since it may hold a secret of your system; the page shows its host alone.'
            : `In place of the one at ${hook.host}, which is not shown whole.`
        }
        error={ask.errorOf('url')}
      >
        {(props) => (
          <input
            {...props}
            className="in"
            type="url"
            autoComplete="off"
            spellCheck={false}
            placeholder="https://"
            value={url}
            onChange={(event) => {
              setUrl(event.target.value);
              ask.clear();
            }}
          />
        )}
      </Field>
      {postedKinds.map((kind) => (
        <Toggle
          key={kind}
          {...kindWords[kind]}
          checked={kinds.includes(kind)}
          onChange={(on) => setKinds(postedKinds.filter((one) => (one === kind ? on : kinds.includes(one))))}
        />
      ))}
      {hook !== null && <Toggle label="Post alerts" checked={isActive} onChange={setActive} />}
      <Refusal of={ask} fields={['url']} />
      <div className="go">
        <button type="submit" className="btn main-act" onMouseDown={keepFocus} {...resting(isSame || ask.asking)}>
          {ask.asking ? 'Saving…' : hook === null ? 'Post alerts there' : 'Save'}
        </button>
        <Done when={ask.done}>Saved</Done>
      </div>
    </form>
  );
}

function Posts({
  organisation,
  hook,
  onTested,
}: {
  organisation: number;
  hook: AlertHook;
  onTested: (hook: AlertHook) => void;
}) {
  const ask = useAsk();
  const [said, setSaid] = useState<string>();
  const test = async () => {
    const done = await ask.ask(() => alertHooks.test(organisation));
    if (done === undefined) return;
    onTested(done.answer.hook);
    setSaid(
      done.answer.problem === null
        ? `${hook.host} took the test.`
        : `${hook.host} did not take the test: ${problemText(done.answer.problem)}.`,
    );
  };
  return (
    <section>
      <h2>Last messages</h2>
      <div className="list many">
        {hook.posts.length === 0 ? (
          <Empty title="Nothing was posted yet.">An alert is posted within a minute. Try the address before.</Empty>
        ) : (
          <table>
            <thead>
              <tr>
                <th scope="col">What</th>
                <th scope="col">Noticed</th>
                <th scope="col">State</th>
                <th scope="col">Tries</th>
                <th scope="col">Next try</th>
              </tr>
            </thead>
            <tbody>
              {hook.posts.map((post) => (
                <tr key={post.id}>
                  <td className="fill">{noticeText(post.notice)}</td>
                  <td data-head="Noticed">{momentText(post.at)}</td>
                  <td data-head="State">
                    <PostState post={post} />
                  </td>
                  <td data-head="Tries">{post.tries}</td>
                  <td data-head="Next try">{post.next_at === null ? '–' : momentText(post.next_at)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
      <Refusal of={ask} />
      <div className="go">
        <button type="button" className="btn" onClick={() => ask.asking || void test()} {...resting(ask.asking)}>
          {ask.asking ? 'Trying…' : 'Post a test'}
        </button>
        <span role="status">{said}</span>
      </div>
    </section>
  );
}

function PostState({ post: { state, problem } }: { post: AlertPost }) {
  const [glyph, word] = (
    {
      taken: ['ok', 'taken'],
      waiting: ['idle', problem === null ? 'waits' : `tried again: ${problemText(problem)}`],
      given_up: ['bad', `given up: ${problemText(problem ?? '')}`],
    } as const
  )[state];
  return (
    <span className={`st ${glyph}`}>
      <Glyph state={glyph} />
      {word}
    </span>
  );
}

/** `relay_silence` as `relay silence`: the names of the messages, which the guide explains. */
function noticeText(notice: string): string {
  const words = notice.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function problemText(problem: string): string {
  return problem.startsWith('status_') ? `answered ${problem.slice('status_'.length)}` : problem.replaceAll('_', ' ');
}
