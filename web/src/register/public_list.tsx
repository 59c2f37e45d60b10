import { useCallback, useState } from 'react';
import { Field } from '../controls/field.tsx';
import { FormDialog } from '../controls/form_dialog.tsx';
import { Glyph } from '../controls/icons.tsx';
import { useReading } from '../desk/reading.ts';
import { type Organisation, useSession } from '../desk/session.tsx';
import { documents, type ReceiverListsAnswer } from '../documents/api.ts';
import { calendarDay, momentText } from '../edge/reader.ts';

/** What is published of the register, and what of it nobody was told yet. */
export function PublicList({ organisation }: { organisation: Organisation }) {
  const { id } = organisation;
  const { person } = useSession();
  const { answer, reload } = useReading(useCallback(() => documents.lists(id), [id]));
  const [isAnnouncing, setAnnouncing] = useState(false);
  if (answer === undefined)
    return <section className="panel wi-lead wi-public" aria-busy="true" aria-label="Public list" />;
  const { lists, unannounced } = answer;
  const [newest] = lists;
  const differs = Object.values(unannounced).some((names) => names.length > 0);
  const canAnnounce = person.is_operator && (newest === undefined || differs);
  return (
    <section className="panel wi-lead wi-public" aria-labelledby="public-list">
      <div>
        <h2 id="public-list">{newest === undefined ? 'No public list yet' : 'Public list'}</h2>
        {newest === undefined ? (
          <p className="q2">
            Once it is announced it stands under /legal, and members hear of everybody new 14 days before.
          </p>
        ) : (
          lists.map((one) => (
            <p key={one.version} className="q2">
              <a className="link" href={one.path}>
                Version {one.version}
              </a>
              , from {calendarDay(one.effective_on)}, announced {momentText(one.published_at)}
              {one.version > 1 && one.added.length > 0 && `. New: ${one.added.join(', ')}`}
              {one.removed.length > 0 && `. Gone: ${one.removed.join(', ')}`}
              {one.told > 0 && `. ${one.told} ${one.told === 1 ? 'member was' : 'members were'} told`}.
            </p>
          ))
        )}
        {newest !== undefined && <Unannounced of={unannounced} />}
        {!person.is_operator && differs && <p className="q2">Whoever runs this desk can announce it.</p>}
      </div>
      {canAnnounce && (
        <button type="button" className="btn" onClick={() => setAnnouncing(true)}>
          Announce the list
        </button>
      )}
      {isAnnouncing && (
        <AnnounceForm
          answer={answer}
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

function Unannounced({ of }: { of: ReceiverListsAnswer['unannounced'] }) {
  if (of.added.length > 0)
    return (
      <p className="st bad">
        <Glyph state="bad" />
        {of.added.join(', ')} {of.added.length === 1 ? 'receives' : 'receive'} something and{' '}
        {of.added.length === 1 ? 'is' : 'are'} not announced.
      </p>
    );
  if (of.removed.length + of.changed.length === 0) return null;
  return (
    <p className="st idle">
      <Glyph state="idle" />
      What is published is not what holds: {[...of.removed, ...of.changed].join(', ')}.
    </p>
  );
}

function AnnounceForm({
  answer,
  onClose,
  onSaved,
}: {
  answer: ReceiverListsAnswer;
  onClose: () => void;
  onSaved: () => void;
}) {
  const [day, setDay] = useState(answer.earliest);
  const isFirst = answer.lists.length === 0;
  return (
    <FormDialog
      label="Announce the list"
      title="Announce who receives something?"
      lead={
        <p>
          {isFirst
            ? 'The first list says what is so already; nobody is told of it.'
            : `Every member of every organisation is told at once, in the desk and by mail.${
                answer.unannounced.added.length > 0 ? ` New: ${answer.unannounced.added.join(', ')}.` : ''
              }`}
          {answer.incomplete.length > 0 && ` Published as not stated: ${answer.incomplete.join('; ')}.`}
        </p>
      }
      fields={['effective_on']}
      act="Announce the list"
      acting="Telling everybody…"
      onSend={async () => {
        await documents.announce({ effective_on: day });
        onSaved();
      }}
      onClose={onClose}
    >
      {(errorOf, clear) => (
        <Field
          label="It takes effect on"
          error={errorOf('effective_on')}
          help={`${calendarDay(answer.earliest)} at the earliest.`}
        >
          {(props) => (
            <input
              {...props}
              className="in"
              type="date"
              min={answer.earliest}
              value={day}
              onChange={(event) => {
                clear();
                setDay(event.target.value);
              }}
            />
          )}
        </Field>
      )}
    </FormDialog>
  );
}
