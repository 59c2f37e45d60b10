import { useCallback, useState } from 'react';
import { Glyph } from '../controls/icons.tsx';
import { type Organisation, useSession } from '../desk/session.tsx';
import { calendarDay, momentText } from '../edge/reader.ts';
import { exactCount } from '../numbers/format.ts';
import { TrustFrame } from '../trust/trust_frame.tsx';
import { useRead } from '../windows/parts.tsx';
import { type Receiver, type RegisterAnswer, register } from './api.ts';
import { PublicList } from './public_list.tsx';
import { StatementForm } from './statement_form.tsx';
import { basisWords, reasonWords, regionWords, roleWords } from './words.ts';

/** Who else gets data of this desk, where, and on what basis? */
export function SubprocessorsPage({ organisation }: { organisation: Organisation }) {
  return (
    <TrustFrame organisation={organisation} title="Subprocessors" what="the register of subprocessors" name="windows">
      <Register organisation={organisation} />
    </TrustFrame>
  );
}

const heads = ['Who', 'What goes there', 'Where, on what basis', 'Calls', ''];

function Register({ organisation }: { organisation: Organisation }) {
  const { id } = organisation;
  const { person } = useSession();
  const { answer, set, instead } = useRead(
    useCallback(() => register.read(id), [id]),
    'the register',
    heads,
  );
  const [stating, setStating] = useState<Receiver>();
  if (answer === undefined) return <section className="panel list many">{instead}</section>;
  const others = answer.receivers.filter(({ role }) => role !== 'own');
  const own = answer.receivers.filter(({ role }) => role === 'own');
  const state = person.is_operator ? setStating : undefined;
  return (
    <>
      <Lead answer={answer} isOperator={person.is_operator} />
      <Receivers
        title="Who receives"
        receivers={others}
        onState={state}
        none="Nobody. This desk has no mail server, no provider of sign-in and no other service set up."
      />
      <PublicList organisation={organisation} />
      <Receivers title="Own machines" receivers={own} none="" />
      {stating !== undefined && (
        <StatementForm
          receiver={stating}
          onClose={() => setStating(undefined)}
          onSaved={(saved) => {
            set({ ...answer, receivers: answer.receivers.map((one) => (one.id === saved.id ? saved : one)) });
            setStating(undefined);
          }}
        />
      )}
    </>
  );
}

function Lead({ answer, isOperator }: { answer: RegisterAnswer; isOperator: boolean }) {
  const { pinned_to: pin, unregistered, receivers } = answer;
  const refused = receivers.filter(({ refused_because: because }) => because !== null);
  const missing = receivers.filter((one) => one.missing.length > 0).length;
  return (
    <section className="panel wi-lead" aria-labelledby="register">
      <div>
        <h2 id="register">{pin.length === 0 ? 'No pin to regions' : `Pinned to ${regionWords(pin)}`}</h2>
        <p className="q2">
          This desk calls nobody else than the rows below; whatever has no row is refused before it is sent.{' '}
          {pin.length === 0
            ? 'Without a pin no row is refused for its region.'
            : 'A row elsewhere is refused unless it says what the transfer rests on.'}{' '}
          Counted since {momentText(answer.counted_since)}.
        </p>
        {refused.map((one) => (
          <p key={one.id} className="st bad">
            <Glyph state="bad" />
            {one.label} gets nothing: {one.refused_because}.
          </p>
        ))}
        {unregistered.map(({ purpose, count }) => (
          <p key={purpose} className="st bad">
            <Glyph state="bad" />
            Refused without a row: {exactCount(count)} for {purpose}.
          </p>
        ))}
        {missing > 0 && (
          <p className="q2">
            {missing === 1 ? 'One row is incomplete.' : `${missing} rows are incomplete.`}
            {!isOperator && ' Who runs this desk can state what is missing.'}
          </p>
        )}
      </div>
    </section>
  );
}

function Receivers({
  title,
  receivers,
  onState,
  none,
}: {
  title: string;
  receivers: readonly Receiver[];
  onState?: ((receiver: Receiver) => void) | undefined;
  none: string;
}) {
  if (receivers.length === 0)
    return none === '' ? null : (
      <section className="panel wi-lines">
        <h2>{title}</h2>
        <p className="q2">{none}</p>
      </section>
    );
  const shown = onState === undefined ? heads.slice(0, 4) : heads;
  return (
    <section className="panel wi-lines">
      <h2>{title}</h2>
      <div className="list many">
        <table>
          <thead>
            <tr>
              {shown.map((head) => (
                <th key={head} scope="col" className={head === 'Calls' ? 'num' : undefined}>
                  {head === '' ? <span className="vh">Actions</span> : head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {receivers.map((one) => (
              <tr key={one.id}>
                <td className="some">
                  <b>{one.label}</b> <span className="q">{roleWords[one.role]}</span>
                  <div className="q2">
                    {one.legal_name !== null && `${one.legal_name}. `}
                    {one.chosen_by === null ? one.hosts.join(', ') : `Chosen by ${one.chosen_by}`}
                  </div>
                  {one.missing.length > 0 && (
                    <div className="st idle">
                      <Glyph state="idle" />
                      Not stated: {one.missing.join('; ')}
                    </div>
                  )}
                </td>
                <td className="some" data-head="What goes there">
                  {one.sent} {one.classes.length > 0 && <span className="q">{one.classes.join(' ')}</span>}
                  <div className="q2">{one.why}</div>
                </td>
                <td className="some" data-head="Where, on what basis">
                  <Basis of={one} />
                </td>
                <td className="num" data-head="Calls">
                  <Calls of={one} />
                </td>
                {onState !== undefined && (
                  <td className="acts">
                    <button type="button" className="btn sm" onClick={() => onState(one)}>
                      State<span className="vh"> who {one.label} is</span>
                    </button>
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Basis({ of: one }: { of: Receiver }) {
  if (one.role === 'own') return <>This desk or its sites</>;
  const links = [
    ['Policy', one.policy_url],
    ['Terms', one.terms_url],
  ].flatMap(([label, url]) => (url === null || url === undefined ? [] : [{ label, url }]));
  return (
    <>
      {one.country ?? 'Country not stated'}
      {one.basis !== null && `, ${basisWords[one.basis]}`}
      <div className="q2">
        {one.contract !== null && (
          <>
            Contract: {one.contract}
            {one.contract_on !== null && `, ${calendarDay(one.contract_on)}`}.{' '}
          </>
        )}
        {links.map(({ label, url }) => (
          <span key={label}>
            <a className="link" href={url} rel="noreferrer" target="_blank">
              {label}
              <span className="vh"> of {one.label}</span>
            </a>{' '}
          </span>
        ))}
        {one.checked_on !== null && `read on ${calendarDay(one.checked_on)}`}
      </div>
    </>
  );
}

/** Mail goes by another protocol, and its page counts it. A store is not called, it is connected. */
function Calls({ of: one }: { of: Receiver }) {
  if (one.id === 'mail') return <span className="q2">see Mail</span>;
  if (one.id === 'database' || one.id === 'warehouse') return <>–</>;
  return (
    <>
      {exactCount(one.calls)}
      {one.last_call !== null && <div className="q2">{momentText(one.last_call)}</div>}
      {one.refusals.map(({ reason, count }) => (
        <div key={reason} className="st bad">
          <Glyph state="bad" />
          {exactCount(count)} refused, {reasonWords[reason]}
        </div>
      ))}
    </>
  );
}
