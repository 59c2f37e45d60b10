import { useCallback, useEffect, useState } from 'react';
import { Link } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { AskFirst } from '../controls/ask_first.tsx';
import { Fact } from '../controls/fact.tsx';
import { Field, Select } from '../controls/field.tsx';
import { FormDialog } from '../controls/form_dialog.tsx';
import { Glyph, Icon } from '../controls/icons.tsx';
import { may, type Organisation } from '../desk/session.tsx';
import { calendarDay, momentText } from '../edge/reader.ts';
import { deniedText } from '../organisation/denied.tsx';
import { Empty } from '../overview/states.tsx';
import { TrustFrame } from '../trust/trust_frame.tsx';
import { useRead } from '../windows/parts.tsx';
import { type Erasure, type RequestDetail, type RequestStep, requests } from './api.ts';
import { CorrectForm, EndForm, MeasuresOf } from './measures.tsx';
import {
  backupWords,
  callbackWords,
  checkWords,
  erasureWords,
  fileScanWords,
  kindWords,
  leftWords,
  outcomeWords,
  sumOf,
  wayWords,
} from './words.ts';
import './requests.css';

type Step = 'checked' | 'working' | 'answered' | 'refused' | 'extend';
type Doing = Step | 'erase' | 'gather' | 'correct' | 'restrict' | 'end' | 'keep';
const isStep = (doing: Doing): doing is Step => doing in forms;

/** One request: who asks, where it stands, what was done, and the one thing to do next. */
export function OneRequestPage({ organisation, id }: { organisation: Organisation; id: number }) {
  return (
    <TrustFrame organisation={organisation} title={`Request ${id}`} what="the requests" name="windows">
      {may(organisation, 'request.manage') ? (
        <OneRequest organisation={organisation} id={id} />
      ) : (
        <div className="list">
          <Empty title={deniedText('the requests', organisation)}>Who asks is named in them.</Empty>
        </div>
      )}
    </TrustFrame>
  );
}

function OneRequest({ organisation, id }: { organisation: Organisation; id: number }) {
  const { id: of, slug } = organisation;
  const { answer, set, instead } = useRead(
    useCallback(() => requests.one(of, id), [of, id]),
    'the request',
    ['', ''],
  );
  const [doing, setDoing] = useState<Doing>();
  const isRunning = answer?.erasure?.state === 'running';
  useEffect(() => {
    if (!isRunning) return;
    const timer = setInterval(() => void requests.one(of, id).then(set, () => {}), 2_000);
    return () => clearInterval(timer);
  }, [isRunning, of, id, set]);
  const saved = (changed: RequestDetail) => {
    set(changed);
    setDoing(undefined);
  };
  return (
    <>
      <section className="panel wi-lines" aria-labelledby="request">
        <div className="wi-lead">
          <div>
            <h2 id="request">Request {id}</h2>
            <p className="q2">
              <Link className="link" href={pathOf({ page: 'requests', organisation: slug })}>
                All requests
              </Link>
            </p>
          </div>
          {answer !== undefined && <Next request={answer} onDo={setDoing} />}
        </div>
        {answer === undefined ? (
          <div className="list">{instead}</div>
        ) : (
          <dl className="rq-facts">
            <Fact name="Asks for">
              {answer.is_minor ? 'Erasure of data of somebody under 18' : kindWords[answer.kind]}
            </Fact>
            {answer.email !== null && <Fact name="Asks by e-mail">{answer.email}</Fact>}
            {answer.phone !== null && <Fact name="Asks by phone">{answer.phone}</Fact>}
            {answer.external_id !== null && <Fact name="Id">{answer.external_id}</Fact>}
            {answer.agent !== null && <Fact name="Agent">{answer.agent}, who asks for them</Fact>}
            {answer.closed_at !== null && <Fact name="Who asked">gone with the end of the request</Fact>}
            <Fact name="Came">
              {calendarDay(answer.received_on)}
              {answer.came_by !== null && `, ${wayWords[answer.came_by]}`}
            </Fact>
            <Fact name="Due">
              {calendarDay(answer.due_on)}
              {answer.closed_at === null && `, ${leftWords(answer)}`}
            </Fact>
            {answer.extension_reason !== null && <Fact name="Extended">{answer.extension_reason}</Fact>}
            {answer.check !== null && (
              <Fact name="Checked">
                {checkWords[answer.check]}, {momentText(answer.checked_at)}
              </Fact>
            )}
            {answer.outcome !== null && (
              <Fact name={answer.state === 'refused' ? 'Refused' : 'Answered'}>
                {answer.outcome} ({momentText(answer.closed_at)}
                {answer.letter_at === null ? ', not mailed by this desk' : ', mailed to them'})
              </Fact>
            )}
            {answer.archive !== null && (
              <Fact name="Archive">
                {answer.archive.records === 1 ? '1 record' : `${answer.archive.records} records`}, until{' '}
                {momentText(answer.archive.expires_at)}
                {answer.email !== null && ', a link was mailed to them'}{' '}
                <a className="btn sm" href={requests.archivePath(of, id)} download>
                  <Icon name="download" />
                  Download
                </a>
              </Fact>
            )}
            {answer.callbacks.map((one, at) => (
              <Fact key={`${one.host} ${at}`} name="Told">
                {callbackWords(one)}
              </Fact>
            ))}
            {answer.others.length > 0 && (
              <Fact name="Asked also">
                {answer.others.map((other) => (
                  <Link
                    key={other}
                    className="btn sm"
                    href={pathOf({ page: 'request', organisation: slug, request: other })}
                  >
                    Request {other}
                  </Link>
                ))}
              </Fact>
            )}
          </dl>
        )}
      </section>
      {answer !== undefined && (answer.measures.length > 0 || answer.restriction !== null) && (
        <MeasuresOf of={of} request={answer} onEnd={() => setDoing('end')} onKeep={() => setDoing('keep')} />
      )}
      {answer?.erasure != null && <ErasureOf of={of} id={id} erasure={answer.erasure} />}
      {answer !== undefined && doing === 'gather' && (
        <AskFirst
          title="Put together what is stored about them?"
          act="Make the archive"
          keep="Not now"
          onAct={async () => saved(await requests.gather(of, id))}
          onClose={() => setDoing(undefined)}
        >
          A page to read, JSON and CSV, in one archive. Where they asked by e-mail a link goes to that address; it works
          for 14 days. You can download it too, to hand it over in another way.
        </AskFirst>
      )}
      {answer !== undefined && doing === 'erase' && (
        <AskFirst
          title={`Erase what is stored about ${answer.email ?? answer.phone ?? answer.external_id ?? 'them'}?`}
          act="Erase their data"
          onAct={async () => saved(await requests.erase(of, id))}
          onClose={() => setDoing(undefined)}
        >
          Everything that this organisation stores about them goes, and their keys are destroyed, in backups too. What a
          legal hold keeps stays and is named. Give them their copy first if they asked for one: this cannot be undone.
        </AskFirst>
      )}
      {answer !== undefined && doing === 'correct' && (
        <CorrectForm of={of} request={answer} onSaved={saved} onClose={() => setDoing(undefined)} />
      )}
      {answer !== undefined && doing === 'restrict' && (
        <AskFirst
          title={answer.kind === 'objection' ? 'Stop using their data?' : 'Keep their data and use it no more?'}
          act="Put it in force"
          keep="Not now"
          onAct={async () => saved(await requests.restrict(of, id, { to: 'in-force' }))}
          onClose={() => setDoing(undefined)}
        >
          What is stored about them stays. Nothing new is tied to them, their profiles are in no list, page or export,
          and no report, alert or invitation is mailed to them. It goes on until you end it, and they are told before.
        </AskFirst>
      )}
      {answer !== undefined && doing === 'end' && (
        <EndForm of={of} request={answer} onSaved={saved} onClose={() => setDoing(undefined)} />
      )}
      {answer !== undefined && doing === 'keep' && (
        <AskFirst
          title="Keep it in force?"
          act="Keep it in force"
          keep="Not now"
          onAct={async () => saved(await requests.restrict(of, id, { to: 'in-force' }))}
          onClose={() => setDoing(undefined)}
        >
          It does not end. If a letter said that it would, tell them.
        </AskFirst>
      )}
      {answer !== undefined && doing !== undefined && isStep(doing) && (
        <StepForm of={of} request={answer} doing={doing} onSaved={saved} onClose={() => setDoing(undefined)} />
      )}
    </>
  );
}

/** The steps of an erasure, as they are done, and the receipts. */
function ErasureOf({ of, id, erasure }: { of: number; id: number; erasure: Erasure }) {
  const { state, steps, receipts } = erasure;
  const [sign, words] = erasureWords[state];
  const done = steps.filter((one) => one.state !== 'waiting').length;
  return (
    <section className="panel wi-lines" aria-labelledby="erasure">
      <div className="wi-lead">
        <div>
          <h2 id="erasure">Erasure</h2>
          <p className={`st ${sign}`} role="status">
            <Glyph state={sign} />
            {state === 'running' && steps.length > 0 ? `${done} of ${steps.length} steps done` : words}
          </p>
        </div>
        <div className="rq-acts">
          {receipts.map(({ number }) => (
            <a key={number} className="btn sm" href={requests.receiptPath(of, id, number)} download>
              <Icon name="download" />
              {receipts.length === 1 ? 'Signed receipt' : `Signed receipt ${number}`}
            </a>
          ))}
        </div>
      </div>
      {steps.length > 0 && (
        <div className="list many">
          <table>
            <thead>
              <tr>
                {['What', 'Found', 'Gone', 'Kept', 'Done'].map((head) => (
                  <th key={head} scope="col">
                    {head}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {steps.map(({ name, what, found, gone, kept, done_at }) => (
                <tr key={name}>
                  <td className="some">{what}</td>
                  <td data-head="Found">{sumOf(found)}</td>
                  <td data-head="Gone">
                    {sumOf(gone)}
                    {gone.some(({ how }) => how === 'key destroyed') && <div className="q2">key destroyed</div>}
                  </td>
                  <td data-head="Kept" className="some">
                    {sumOf(kept)}
                    {[...new Set(kept.map(({ why }) => why))].map((why) => (
                      <div key={why} className="q2">
                        {why}
                      </div>
                    ))}
                  </td>
                  <td data-head="Done">{momentText(done_at)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {erasure.files !== null && (
        <div className="wi-lead">
          <div>
            <p className={erasure.files.found.length > 0 ? 'st bad' : 'q2'}>
              {erasure.files.found.length > 0 && <Glyph state="bad" />}
              {fileScanWords(erasure.files)}
            </p>
            <p className="q2">{backupWords(erasure.backups)}</p>
          </div>
        </div>
      )}
    </section>
  );
}

function Next({ request, onDo }: { request: RequestDetail; onDo: (what: Doing) => void }) {
  const { kind, state, is_extended, days_left, closed_at, erasure, archive, measures, restriction } = request;
  if (closed_at !== null || erasure?.state === 'running') return null;
  const isWorking = state === 'working';
  const erases = kind === 'erasure' && isWorking && erasure === null;
  const corrects = kind === 'rectification' && isWorking;
  const restricts = (kind === 'restriction' || kind === 'objection') && isWorking && restriction === null;
  // A copy is what access and portability ask for; others may want one too.
  const isCopy = kind === 'access' || kind === 'portability';
  const isDone = erasure !== null || archive !== null || measures.length > 0;
  const isFirst = erases || restricts || (corrects && measures.length === 0);
  return (
    <div className="rq-acts">
      {state === 'received' && (
        <button type="button" className="btn main-act" onClick={() => onDo('checked')}>
          Note the check
        </button>
      )}
      {state === 'checked' && (
        <button type="button" className="btn main-act" onClick={() => onDo('working')}>
          Begin work
        </button>
      )}
      {erases && (
        <button type="button" className="btn main-act" onClick={() => onDo('erase')}>
          Erase their data
        </button>
      )}
      {corrects && (
        <button
          type="button"
          className={measures.length === 0 ? 'btn main-act' : 'btn'}
          onClick={() => onDo('correct')}
        >
          {measures.length === 0 ? 'Put their data right' : 'Put more right'}
        </button>
      )}
      {restricts && (
        <button type="button" className="btn main-act" onClick={() => onDo('restrict')}>
          Put it in force
        </button>
      )}
      {isWorking && erasure === null && (
        <button
          type="button"
          className={archive === null && isCopy ? 'btn main-act' : 'btn'}
          onClick={() => onDo('gather')}
        >
          {archive === null ? 'Make the archive' : 'Make it anew'}
        </button>
      )}
      {state === 'working' && (
        <button type="button" className={isDone && !isFirst ? 'btn main-act' : 'btn'} onClick={() => onDo('answered')}>
          Note the answer
        </button>
      )}
      <button type="button" className="btn" onClick={() => onDo('refused')}>
        Refuse
      </button>
      {!is_extended && days_left >= 0 && (
        <button type="button" className="btn" onClick={() => onDo('extend')}>
          Extend
        </button>
      )}
    </div>
  );
}

const forms: Record<Step, { title: string; act: string; lead: string; label: string; help?: string }> = {
  checked: {
    ...{ title: 'Is it really them?', act: 'Note the check', label: 'How you know' },
    lead: 'Nothing is answered before it is sure who asks.',
  },
  working: {
    ...{ title: 'Begin work?', act: 'Begin work', label: '' },
    lead: 'Whoever looks at the list sees that somebody is at it.',
  },
  answered: {
    ...{ title: 'What was answered?', act: 'Close the request', label: 'What was answered' },
    lead: 'The request is closed, and the address of who asked goes. That cannot be undone.',
    help: 'Without names: these words stay for three years. They are the letter, too.',
  },
  refused: {
    ...{ title: 'Refuse the request?', act: 'Refuse request', label: 'Why' },
    lead: 'They are told why, and where they can complain. The request is closed, and their address goes.',
    help: 'Without names: these words stay for three years. They are the letter, too.',
  },
  extend: {
    ...{ title: 'Extend the time', act: 'Extend', label: 'Why', lead: 'Once, by two months at most.' },
    help: 'They are told the reason by mail, once it is sure who asks; otherwise tell them before the day is over.',
  },
};

function StepForm({
  of,
  request,
  doing,
  onSaved,
  onClose,
}: {
  of: number;
  request: RequestDetail;
  doing: Step;
  onSaved: (changed: RequestDetail) => void;
  onClose: () => void;
}) {
  const { title, act, lead, label, help } = forms[doing];
  const [check, setCheck] = useState<NonNullable<RequestDetail['check']>>('mailbox');
  const [text, setText] = useState(doing === 'answered' ? outcomeWords(request) : '');
  const [until, setUntil] = useState('');
  // A letter to somebody of whom it is not sure who they are would tell a stranger that somebody asked.
  const canMail = request.email !== null && request.checked_at !== null;
  const [isMailed, setMailed] = useState(canMail);
  const send = async () => {
    if (doing === 'extend') return onSaved(await requests.extend(of, request.id, { until, reason: text }));
    const step: RequestStep =
      doing === 'checked'
        ? { to: doing, check }
        : doing === 'working'
          ? { to: doing }
          : { to: doing, outcome: text, letter: isMailed };
    return onSaved(await requests.step(of, request.id, step));
  };
  return (
    <FormDialog
      label={title}
      title={title}
      lead={<p>{lead}</p>}
      fields={['check', 'outcome', 'reason', 'until']}
      act={act}
      isDangerous={doing === 'refused'}
      isResting={
        doing !== 'checked' && doing !== 'working' && (text.trim() === '' || (doing === 'extend' && until === ''))
      }
      onSend={send}
      onClose={onClose}
    >
      {(errorOf, clear) =>
        doing === 'working' ? null : doing === 'checked' ? (
          <Field label={label} error={errorOf('check')}>
            {(props) => (
              <Select {...props} value={check} onChange={(event) => setCheck(event.target.value as typeof check)}>
                {Object.entries(checkWords).map(([value, words]) => (
                  <option key={value} value={value}>
                    {words}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        ) : (
          <>
            {doing === 'extend' && (
              <Field label="Until" error={errorOf('until')}>
                {(props) => (
                  <input
                    {...props}
                    className="in"
                    type="date"
                    min={request.due_on}
                    value={until}
                    onChange={(event) => {
                      clear();
                      setUntil(event.target.value);
                    }}
                  />
                )}
              </Field>
            )}
            <Field label={label} help={help} error={errorOf(doing === 'extend' ? 'reason' : 'outcome')}>
              {(props) => (
                <textarea
                  {...props}
                  className="in rq-words"
                  rows={3}
                  maxLength={1000}
                  value={text}
                  onChange={(event) => {
                    clear();
                    setText(event.target.value);
                  }}
                />
              )}
            </Field>
            {doing !== 'extend' && (
              <Field
                label="How they are told"
                help={
                  canMail
                    ? 'The letter says who answers, and where to complain.'
                    : 'There is no address of which it is sure whose it is: tell them yourself.'
                }
              >
                {(props) => (
                  <Select
                    {...props}
                    value={isMailed ? 'mail' : 'by-hand'}
                    onChange={(event) => setMailed(event.target.value === 'mail')}
                  >
                    {canMail && <option value="mail">By a letter to {request.email}</option>}
                    <option value="by-hand">I tell them in another way</option>
                  </Select>
                )}
              </Field>
            )}
          </>
        )
      }
    </FormDialog>
  );
}
