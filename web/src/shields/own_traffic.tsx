import type { FormEvent } from 'react';
import { useState } from 'react';
import { Field, FormError } from '../controls/field.tsx';
import { Glyph } from '../controls/icons.tsx';
import type { DeskError, Site } from '../desk/api.ts';
import { api, asDeskError } from '../desk/api.ts';
import { noteCharsMax } from './kinds.ts';

/** One button for the most common shield. The desk reads the address from the call; it never comes to this page. */
export function OwnTraffic({ site, onAdded }: { site: Site; onAdded: () => void }) {
  const [note, setNote] = useState('My own traffic');
  const [refusal, setRefusal] = useState<DeskError>();
  const [done, setDone] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setRefusal(undefined);
    setDone(false);
    try {
      await api.addShield(site.domain, { kind: 'own_address', note: note.trim() });
      setDone(true);
      onAdded();
    } catch (error) {
      setRefusal(asDeskError(error));
    }
  };
  return (
    <section className="panel" aria-label="Your own traffic">
      <header>
        <h2>Your own traffic</h2>
      </header>
      <form className="form sh-form" onSubmit={submit} noValidate>
        <p>
          Adds the address that you come from now, as a keyed digest. Addresses change: at home often within days, and
          at once in another network. When your visits show up again, add it again.
        </p>
        <Field label="Name" error={refusal?.field === 'note' ? refusal.message : undefined}>
          {(props) => (
            <input
              {...props}
              className="in"
              value={note}
              maxLength={noteCharsMax}
              onChange={(event) => {
                setNote(event.target.value);
                setDone(false);
              }}
            />
          )}
        </Field>
        {refusal?.field !== 'note' && (
          <FormError
            message={
              refusal?.code === 'conflict' && refusal.field === 'value'
                ? 'The address that you come from now is on the list already.'
                : refusal?.message
            }
            reference={refusal?.code === 'conflict' ? undefined : refusal?.reference}
          />
        )}
        <div className="go">
          <button type="submit" className="btn">
            Exclude my address
          </button>
          <span role="status">
            {done && (
              <span className="st ok">
                <Glyph state="ok" />
                Excluded from the next event on.
              </span>
            )}
          </span>
        </div>
      </form>
    </section>
  );
}
