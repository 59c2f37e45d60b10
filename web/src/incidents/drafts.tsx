import { useCallback, useState } from 'react';
import { Field } from '../controls/field.tsx';
import { FormDialog } from '../controls/form_dialog.tsx';
import { Glyph } from '../controls/icons.tsx';
import { useReading } from '../desk/reading.ts';
import { may, type Organisation } from '../desk/session.tsx';
import { calendarDay, momentInZone } from '../edge/reader.ts';
import { type Draft, incidents } from './api.ts';
import { OpenForm } from './forms.tsx';
import { alertWords } from './words.ts';

/** What alerts saw or somebody reported, and nobody has judged. Not there while there is nothing: most days have none. */
export function Drafts({ organisation, onEntered }: { organisation: Organisation; onEntered: () => void }) {
  const { id } = organisation;
  const { answer, set, reload } = useReading(useCallback(() => incidents.drafts(id), [id]));
  const [doing, setDoing] = useState<{ draft: Draft; how: 'enter' | 'dismiss' }>();
  if (answer === undefined || answer.drafts.length === 0) return null;
  const end = () => setDoing(undefined);
  return (
    <section className="panel" aria-labelledby="drafts">
      <div className="in-lead">
        <div>
          <h2 id="drafts">Reported, not yet judged</h2>
          <p className="q2">
            An alert saw these, or somebody reported them by the form. Somebody looks, and takes one up as an incident
            or says why it is none. The 72 hours begin when it is known that data was touched.
          </p>
        </div>
      </div>
      {answer.drafts.map((draft) => (
        <div className="in-draft" key={draft.id}>
          <p>
            <Glyph state="bad" />
            <b>{alertWords(draft)}</b>
            <span className="q2">{momentInZone(draft.raised_at)}</span>
          </p>
          {draft.concern === null ? <p>{draft.what}</p> : <Concern of={draft.concern} />}
          {may(organisation, 'policy.manage') && (
            <div className="in-acts">
              <button type="button" className="btn sm main-act" onClick={() => setDoing({ draft, how: 'enter' })}>
                Take up as an incident
              </button>
              <button type="button" className="btn sm" onClick={() => setDoing({ draft, how: 'dismiss' })}>
                Not an incident, because…
              </button>
            </div>
          )}
        </div>
      ))}
      {doing?.how === 'enter' && (
        <OpenForm
          organisation={organisation}
          draft={doing.draft}
          onClose={end}
          onSaved={() => {
            end();
            reload();
            onEntered();
          }}
        />
      )}
      {doing?.how === 'dismiss' && (
        <DismissForm
          draft={doing.draft}
          onClose={end}
          onSend={async (because) => {
            set(await incidents.judge(id, doing.draft.id, { dismissed_because: because }));
            end();
          }}
        />
      )}
    </section>
  );
}

/** In the words of who reported it. */
export function Concern({ of }: { of: NonNullable<Draft['concern']> }) {
  return (
    <>
      <p className="in-what">{of.said}</p>
      <p className="q2">
        {of.happened_on !== null && <span>Happened on {calendarDay(of.happened_on)}, as they say.</span>}
        <span>{of.reach === null ? 'No address to answer to.' : `Answer to ${of.reach}.`}</span>
      </p>
    </>
  );
}

function DismissForm({
  draft,
  onClose,
  onSend,
}: {
  draft: Draft;
  onClose: () => void;
  onSend: (because: string) => Promise<void>;
}) {
  const [because, setBecause] = useState('');
  return (
    <FormDialog
      label="It is no incident"
      title={alertWords(draft)}
      lead={
        <p>
          Say what it was. It stays in the register with your number, and it goes from this page
          {draft.concern?.reach == null ? '' : ', with the address of who reported it: answer them first'}.
        </p>
      }
      fields={['dismissed_because']}
      act="It is no incident"
      isResting={because.trim() === ''}
      onSend={() => onSend(because)}
      onClose={onClose}
    >
      {(errorOf, clear) => (
        <Field label="What it was" error={errorOf('dismissed_because')}>
          {(props) => (
            <textarea
              {...props}
              className="in in-words"
              rows={3}
              maxLength={2_000}
              value={because}
              onChange={(event) => {
                clear();
                setBecause(event.target.value);
              }}
            />
          )}
        </Field>
      )}
    </FormDialog>
  );
}
