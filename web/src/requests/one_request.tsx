import { useCallback, useState } from 'react';
import { Dialog } from '../controls/dialog.tsx';
import { Fact } from '../controls/fact.tsx';
import { Field, Select } from '../controls/field.tsx';
import { FormDialog } from '../controls/form_dialog.tsx';
import type { Organisation } from '../desk/session.tsx';
import { dayOf, momentOf, useRead } from '../windows/parts.tsx';
import { type RequestDetail, type RequestStep, requests } from './api.ts';
import { checkWords, kindWords, leftWords } from './words.ts';
import './requests.css';

interface Props {
  organisation: Organisation;
  id: number;
  onOther: (id: number) => void;
  onChanged: () => void;
  onClose: () => void;
}
type Doing = 'checked' | 'working' | 'answered' | 'refused' | 'extend';

/** One request: who asks, where it stands, and the one thing to do next. */
export function OneRequest({ organisation, id, onOther, onChanged, onClose }: Props) {
  const { id: of, timezone } = organisation;
  const { answer, set, instead } = useRead(
    useCallback(() => requests.one(of, id), [of, id]),
    'the request',
    ['', ''],
  );
  const [doing, setDoing] = useState<Doing>();
  const saved = (changed: RequestDetail) => {
    set(changed);
    setDoing(undefined);
    onChanged();
  };
  if (answer !== undefined && doing !== undefined)
    return <StepForm of={of} request={answer} doing={doing} onSaved={saved} onClose={() => setDoing(undefined)} />;
  return (
    <Dialog label={`Request ${id}`} className="small" onClose={onClose}>
      <h2>Request {id}</h2>
      {answer === undefined ? (
        instead
      ) : (
        <>
          <dl className="rq-facts">
            <Fact name="Asks for">{kindWords[answer.kind]}</Fact>
            {answer.email !== null && <Fact name="Asks by e-mail">{answer.email}</Fact>}
            {answer.phone !== null && <Fact name="Asks by phone">{answer.phone}</Fact>}
            {answer.external_id !== null && <Fact name="Id">{answer.external_id}</Fact>}
            {answer.closed_at !== null && <Fact name="Who asked">gone with the end of the request</Fact>}
            <Fact name="Came">{dayOf(answer.received_on, 'UTC')}</Fact>
            <Fact name="Due">
              {dayOf(answer.due_on, 'UTC')}
              {answer.closed_at === null && `, ${leftWords(answer)}`}
            </Fact>
            {answer.extension_reason !== null && <Fact name="Extended">{answer.extension_reason}</Fact>}
            {answer.check !== null && (
              <Fact name="Checked">
                {checkWords[answer.check]}, {momentOf(answer.checked_at, timezone)}
              </Fact>
            )}
            {answer.outcome !== null && (
              <Fact name={answer.state === 'refused' ? 'Refused' : 'Answered'}>
                {answer.outcome} ({momentOf(answer.closed_at, timezone)})
              </Fact>
            )}
            {answer.others.length > 0 && (
              <Fact name="Asked also">
                {answer.others.map((other) => (
                  <button key={other} type="button" className="btn sm" onClick={() => onOther(other)}>
                    Request {other}
                  </button>
                ))}
              </Fact>
            )}
          </dl>
          <div className="editor-foot rq-foot">
            <Next request={answer} onDo={setDoing} />
            <button type="button" className="btn quiet" onClick={onClose}>
              Close
            </button>
          </div>
        </>
      )}
    </Dialog>
  );
}

function Next({
  request: { state, is_extended, days_left, closed_at },
  onDo,
}: {
  request: RequestDetail;
  onDo: (what: Doing) => void;
}) {
  if (closed_at !== null) return null;
  return (
    <>
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
      {state === 'working' && (
        <button type="button" className="btn main-act" onClick={() => onDo('answered')}>
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
    </>
  );
}

const forms: Record<Doing, { title: string; act: string; lead: string; label: string; help?: string }> = {
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
    help: 'Without names: these words stay for three years.',
  },
  refused: {
    ...{ title: 'Refuse the request?', act: 'Refuse request', label: 'Why' },
    lead: 'Tell them why first, and where they can complain: the request is closed, and their address goes.',
    help: 'Without names: these words stay for three years.',
  },
  extend: {
    ...{ title: 'Extend the time', act: 'Extend', label: 'Why', lead: 'Once, by two months at most.' },
    help: 'Tell them the reason before the day is over.',
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
  doing: Doing;
  onSaved: (changed: RequestDetail) => void;
  onClose: () => void;
}) {
  const { title, act, lead, label, help } = forms[doing];
  const [check, setCheck] = useState<NonNullable<RequestDetail['check']>>('mailbox');
  const [text, setText] = useState('');
  const [until, setUntil] = useState('');
  const send = async () => {
    if (doing === 'extend') return onSaved(await requests.extend(of, request.id, { until, reason: text }));
    const step: RequestStep =
      doing === 'checked' ? { to: doing, check } : doing === 'working' ? { to: doing } : { to: doing, outcome: text };
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
                  className="in"
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
          </>
        )
      }
    </FormDialog>
  );
}
