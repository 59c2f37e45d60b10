import { useCallback, useState } from 'react';
import { Link, navigate } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { CopyButton } from '../controls/copy.tsx';
import { Glyph } from '../controls/icons.tsx';
import { may, type Organisation } from '../desk/session.tsx';
import { origin } from '../edge/browser.ts';
import { calendarDay } from '../edge/reader.ts';
import { deniedText } from '../organisation/denied.tsx';
import { Empty } from '../overview/states.tsx';
import { TrustFrame } from '../trust/trust_frame.tsx';
import { useRead } from '../windows/parts.tsx';
import { requests, type SubjectRequest } from './api.ts';
import { EnterForm } from './enter_form.tsx';
import { inForceWords, kindWords, leftWords, stateWords } from './words.ts';

/** Who asked for their data, and what has to happen next, by when? */
export function RequestsPage({ organisation }: { organisation: Organisation }) {
  return (
    <TrustFrame organisation={organisation} title="Requests" what="the requests" name="windows">
      {may(organisation, 'request.manage') ? (
        <Requests organisation={organisation} />
      ) : (
        <div className="list">
          <Empty title={deniedText('the requests', organisation)}>Who asks is named in them.</Empty>
        </div>
      )}
    </TrustFrame>
  );
}

const heads = ['What is asked', 'Came', 'Due', 'Next', ''];

function Requests({ organisation }: { organisation: Organisation }) {
  const { id } = organisation;
  const [after, setAfter] = useState(0);
  const { answer, instead } = useRead(
    useCallback(() => requests.read(id, after), [id, after]),
    'the requests',
    heads,
  );
  const [isEntering, setEntering] = useState(false);
  const pathTo = (request: number) => pathOf({ page: 'request', organisation: organisation.slug, request });
  return (
    <section className="panel wi-lines" aria-labelledby="requests">
      <div className="wi-lead">
        <div>
          <h2 id="requests">Requests of data subjects</h2>
          <p className="q2">
            An answer is due 30 days or one month after the day a request came, whichever ends first. Owners, admins and
            privacy officers are told on day 21, and when the day is over.
          </p>
          <PublicForm path={`/request/${organisation.slug}`} />
          {answer !== undefined && answer.overdue > 0 && (
            <p className="st bad">
              <Glyph state="bad" />
              {answer.overdue === 1 ? '1 request is overdue' : `${answer.overdue} requests are overdue`}
            </p>
          )}
        </div>
        <button type="button" className="btn main-act" onClick={() => setEntering(true)}>
          Enter a request
        </button>
      </div>
      <div className="list many">
        {answer === undefined ? (
          instead
        ) : answer.requests.length === 0 ? (
          <Empty title="No request came yet.">Enter one that reached you by mail, by phone or on paper.</Empty>
        ) : (
          <table>
            <thead>
              <tr>
                {heads.map((head) => (
                  <th key={head} scope="col">
                    {head === '' ? <span className="vh">Actions</span> : head}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {answer.requests.map((one) => (
                <Row key={one.id} of={one} path={pathTo(one.id)} />
              ))}
            </tbody>
          </table>
        )}
      </div>
      {answer !== undefined && (after > 0 || answer.next !== null) && (
        <div className="wi-lead">
          {after > 0 && (
            <button type="button" className="btn" onClick={() => setAfter(0)}>
              First page
            </button>
          )}
          {answer.next !== null && (
            <button type="button" className="btn" onClick={() => setAfter(answer.next ?? 0)}>
              Next page
            </button>
          )}
        </div>
      )}
      {isEntering && (
        <EnterForm
          organisation={organisation}
          onClose={() => setEntering(false)}
          onSaved={(made) => navigate(pathTo(made.id))}
        />
      )}
    </section>
  );
}

/** Where visitors ask by themselves: for the footer of a site, or a notice. */
function PublicForm({ path }: { path: string }) {
  const address = origin() + path;
  return (
    <p className="rq-form">
      Visitors ask at{' '}
      <a className="link" href={path} target="_blank" rel="noreferrer">
        {address.replace(/^https?:\/\//, '')}
      </a>{' '}
      <CopyButton text={address} label="Copy the link" />
    </p>
  );
}

function Row({ of, path }: { of: SubjectRequest; path: string }) {
  const isOpen = of.closed_at === null;
  return (
    <tr>
      <td className="some">
        <b>{kindWords[of.kind]}</b>
        <div className="q2">request {of.id}</div>
      </td>
      <td data-head="Came">{calendarDay(of.received_on)}</td>
      <td data-head="Due">
        {calendarDay(of.due_on)}
        {isOpen && (
          <div className={of.days_left < 0 ? 'st bad' : 'q2'}>
            {of.days_left < 0 && <Glyph state="bad" />}
            {leftWords(of)}
            {of.is_extended && ', extended'}
          </div>
        )}
      </td>
      <td data-head="Next">{of.is_in_force && !isOpen ? inForceWords : stateWords[of.state]}</td>
      <td className="acts">
        <Link className="btn sm" href={path}>
          Open<span className="vh"> request {of.id}</span>
        </Link>
      </td>
    </tr>
  );
}
