import { useCallback, useState } from 'react';
import { ComingForm, ComingRows } from '../controls/coming.tsx';
import { FormError } from '../controls/field.tsx';
import { mailApi } from '../desk/mail_api.ts';
import { useReading } from '../desk/reading.ts';
import { momentText } from '../edge/reader.ts';
import { Empty, Failed } from '../overview/states.tsx';
import { Shell } from '../shell/shell.tsx';
import './inbox.css';

/** What would this desk have sent? On a desk for development or a demo alone; anywhere else there is no such page. */
export function InboxPage() {
  const list = useReading(mailApi.inbox);
  const [chosen, setChosen] = useState<number>();
  const messages = list.answer?.messages ?? [];
  const shown = messages.find(({ id }) => id === chosen) ?? messages[0];
  return (
    <Shell title="Inbox">
      <main className="wrap" id="main" tabIndex={-1}>
        {list.problem?.status === 404 ? (
          <Empty title="There is nothing here.">The address may be mistyped, or the page is not for you.</Empty>
        ) : list.problem !== undefined ? (
          <Failed {...list.problem} onRetry={list.reload} what="The inbox could not be read." />
        ) : list.answer === undefined ? (
          <div className="list">
            <ComingRows what="the messages" rows={6} lines={2} />
          </div>
        ) : shown === undefined ? (
          <Empty
            title="No mail yet."
            action={
              <button type="button" className="btn sm" onClick={list.reload}>
                Look again
              </button>
            }
          >
            What this desk would send comes here, and nothing goes to the network.
          </Empty>
        ) : (
          <div className="inbox">
            <nav aria-label="Messages">
              <button type="button" className="btn sm" onClick={list.reload}>
                Look again
              </button>
              <ul>
                {messages.map((one) => (
                  <li key={one.id}>
                    <button
                      type="button"
                      aria-current={one.id === shown.id ? 'true' : undefined}
                      onClick={() => setChosen(one.id)}
                    >
                      <b>{one.subject}</b>
                      <span className="q cut">{one.to}</span>
                      <span className="q">{momentText(one.at)}</span>
                    </button>
                  </li>
                ))}
              </ul>
            </nav>
            <Letter key={shown.id} id={shown.id} />
          </div>
        )}
      </main>
    </Shell>
  );
}

function Letter({ id }: { id: number }) {
  const [asText, setAsText] = useState(false);
  const load = useCallback(() => mailApi.letter(id), [id]);
  const { answer, problem } = useReading(load);
  if (problem !== undefined) return <FormError message={problem.message} reference={problem.reference} />;
  if (answer === undefined) return <ComingForm what="the message" fields={1} />;
  return (
    <article aria-label={answer.subject}>
      <header>
        <h2>{answer.subject}</h2>
        <p className="q">
          To {answer.to} · {answer.template} · {answer.kind}
        </p>
        <div className="seg">
          <button type="button" aria-pressed={!asText} onClick={() => setAsText(false)}>
            As it looks
          </button>
          <button type="button" aria-pressed={asText} onClick={() => setAsText(true)}>
            As text
          </button>
        </div>
      </header>
      {asText ? (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling block must be reachable by keyboard.
        <pre className="code" tabIndex={0}>
          {answer.text}
        </pre>
      ) : (
        <iframe title={answer.subject} sandbox="allow-top-navigation-by-user-activation" src={mailApi.letterPage(id)} />
      )}
    </article>
  );
}
