import { useCallback, useState } from 'react';
import { Field } from '../controls/field.tsx';
import { FormDialog } from '../controls/form_dialog.tsx';
import { Glyph } from '../controls/icons.tsx';
import { useReading } from '../desk/reading.ts';
import { may, type Organisation } from '../desk/session.tsx';
import { zonedText } from '../edge/reader.ts';
import { type Draft, incidents } from './api.ts';
import { OpenForm } from './forms.tsx';
import { alertWords } from './words.ts';

/** What alerts saw and nobody has judged. Not there while there is nothing: most days have none. */
export function Drafts({ organisation, onEntered }: { organisation: Organisation; onEntered: () => void }) {
  const { id, timezone } = organisation;
  const { answer, set, reload } = useReading(useCallback(() => incidents.drafts(id), [id]));
  const [doing, setDoing] = useState<{ draft: Draft; how: 'enter' | 'dismiss' }>();
  if (answer === undefined || answer.drafts.length === 0) return null;
  const end = () => setDoing(undefined);
  return (
    <section className="panel" aria-labelledby="drafts">
      <div className="in-lead">
        <div>
          <h2 id="drafts">Seen by alerts</h2>
          <p className="q2">
            The desk saw these and cannot know what they mean. Somebody looks, and enters an incident or says why it is
            none. The 72 hours begin when it is known that data was touched.
          </p>
        </div>
      </div>
      {answer.drafts.map((draft) => (
        <div className="in-draft" key={draft.id}>
          <p>
            <Glyph state="bad" />
            <b>{alertWords(draft)}</b>
            <span className="q2">
              {zonedText(draft.raised_at, timezone, { dateStyle: 'medium', timeStyle: 'short' })}
            </span>
          </p>
          <p>{draft.what}</p>
          {may(organisation, 'policy.manage') && (
            <div className="in-acts">
              <button type="button" className="btn sm main-act" onClick={() => setDoing({ draft, how: 'enter' })}>
                Enter it as an incident
              </button>
              <button type="button" className="btn sm" onClick={() => setDoing({ draft, how: 'dismiss' })}>
                It is none
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
      lead={<p>Say what it was. It stays in the register with your number, and the alert goes from this page.</p>}
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
