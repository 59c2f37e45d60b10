import { useCallback, useState } from 'react';
import type { NewTransfer, Transfer } from '../../../contract/transfers.ts';
import { Field, FormError } from '../controls/field.tsx';
import { FormDialog } from '../controls/form_dialog.tsx';
import { Glyph } from '../controls/icons.tsx';
import { asDeskError, type DeskError } from '../desk/api.ts';
import { useReading } from '../desk/reading.ts';
import { may, type Organisation } from '../desk/session.tsx';
import { readerToday } from '../edge/reader.ts';
import { dayText } from '../period/words.ts';
import { organisations } from './wire.ts';

/** Does the organisation pass to another company? What is announced, what was, and announcing it. */
export function Transfers({ organisation }: { organisation: Organisation }) {
  const { id } = organisation;
  const { answer, set, reload } = useReading(useCallback(() => organisations.transfers(id), [id]));
  const [isAnnouncing, setAnnouncing] = useState(false);
  const [problem, setProblem] = useState<DeskError>();
  const owns = may(organisation, 'organisation.own');
  const pending = answer?.transfers.find(({ state }) => state === 'announced');
  const past = answer?.transfers.filter(({ state }) => state !== 'announced') ?? [];
  const today = readerToday();
  const withdraw = async (one: Transfer) => {
    setProblem(undefined);
    try {
      const after = await organisations.withdrawTransfer(id, one.id);
      if (answer !== undefined)
        set({ ...answer, transfers: answer.transfers.map((old) => (old.id === one.id ? after : old)) });
    } catch (error) {
      setProblem(asDeskError(error));
    }
  };
  return (
    <section>
      <h2>Another company takes over</h2>
      <p>
        Members and visitors are told 30 days ahead who the new controller is. On the day it stands in every document;
        policy, windows, consents and holds go along as they were promised. It can be withdrawn until then.
      </p>
      {pending !== undefined && (
        <p className="note warn" role="status">
          <Glyph state="idle" />
          <span>
            <b>
              {organisation.name} passes to {pending.legal_name} on {dayText(pending.effective_on, today)}.
            </b>{' '}
            {pending.members_told} {pending.members_told === 1 ? 'member was' : 'members were'} told.{' '}
            {owns && (
              <button type="button" className="link" onClick={() => void withdraw(pending)}>
                Withdraw it
              </button>
            )}
          </span>
        </p>
      )}
      {past.length > 0 && (
        <ul className="transfers">
          {past.map((one) => (
            <li key={one.id}>
              <b>{one.legal_name}</b>{' '}
              {one.state === 'done'
                ? `since ${dayText(one.effective_on, today)}`
                : `was to take over on ${dayText(one.effective_on, today)}, withdrawn`}
              {one.before_name === null ? '' : `; before: ${one.before_name}`}.
            </li>
          ))}
        </ul>
      )}
      <FormError message={problem?.message} reference={problem?.reference} />
      {owns && answer !== undefined && pending === undefined && (
        <div className="go">
          <button type="button" className="btn" onClick={() => setAnnouncing(true)}>
            Announce a transfer…
          </button>
        </div>
      )}
      {isAnnouncing && answer !== undefined && (
        <AnnounceForm
          organisation={organisation}
          earliest={answer.earliest}
          onClose={() => setAnnouncing(false)}
          onSaved={() => {
            setAnnouncing(false);
            reload();
          }}
        />
      )}
    </section>
  );
}

const fields = [
  ['legal_name', 'Legal name', 200],
  ['address', 'Postal address', 500],
  ['jurisdiction', 'Country whose law holds', 120],
  ['contact', 'Contact for questions about data', 300],
  ['registration', 'Register and number', 300],
  ['officer', 'Data protection officer, or why there is none', 300],
  ['representative', 'Representative in the Union', 300],
  ['authority', 'Supervisory authority', 300],
  ['why', 'Why, as members and visitors read it', 500],
] as const satisfies readonly (readonly [keyof NewTransfer, string, number])[];
const needed: readonly string[] = ['legal_name', 'address', 'jurisdiction', 'contact', 'why'];
type Words = Record<(typeof fields)[number][0], string>;

function AnnounceForm({
  organisation,
  earliest,
  onClose,
  onSaved,
}: {
  organisation: Organisation;
  earliest: string;
  onClose: () => void;
  onSaved: () => void;
}) {
  const [words, setWords] = useState<Words>(() => Object.fromEntries(fields.map(([name]) => [name, ''])) as Words);
  const [day, setDay] = useState(earliest);
  const isWhole = needed.every((name) => words[name as keyof Words].trim() !== '') && day !== '';
  return (
    <FormDialog
      label="Announce a transfer"
      title={`${organisation.name} passes to another company`}
      lead={<p>Every member is told at once, in the desk and by mail, and its public page says so.</p>}
      fields={[...fields.map(([name]) => name), 'effective_on']}
      act="Announce it"
      isResting={!isWhole}
      onSend={async () => {
        await organisations.announceTransfer(organisation.id, { ...words, effective_on: day });
        onSaved();
      }}
      onClose={onClose}
    >
      {(errorOf, clear) => (
        <>
          {fields.map(([name, label, max]) => (
            <Field
              key={name}
              label={needed.includes(name) ? label : `${label} (may be left out)`}
              error={errorOf(name)}
            >
              {(props) => (
                <input
                  {...props}
                  className="in"
                  maxLength={max}
                  value={words[name]}
                  onChange={(event) => {
                    clear();
                    setWords({ ...words, [name]: event.target.value });
                  }}
                />
              )}
            </Field>
          ))}
          <Field
            label="Takes over on"
            help={`${dayText(earliest, readerToday())} at the earliest.`}
            error={errorOf('effective_on')}
          >
            {(props) => (
              <input
                {...props}
                className="in"
                type="date"
                min={earliest}
                value={day}
                onChange={(event) => {
                  clear();
                  setDay(event.target.value);
                }}
              />
            )}
          </Field>
        </>
      )}
    </FormDialog>
  );
}
