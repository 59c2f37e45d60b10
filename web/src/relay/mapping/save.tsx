import { useEffect, useState } from 'react';
import type { Mapping } from '../../../../contract/mapping.ts';
import type { RelaySource } from '../../../../contract/relay_settings.ts';
import { Field } from '../../controls/field.tsx';
import { FormDialog } from '../../controls/form_dialog.tsx';
import { Glyph } from '../../controls/icons.tsx';
import { DeskError } from '../../desk/api.ts';
import type { Organisation } from '../../desk/session.tsx';
import { type MappingTest, relayOf } from '../api.ts';
import { fieldProblem } from '../words.ts';
import { changedFields } from './model.ts';

/** Before a version holds: what is other than before, and what it does to every request that is kept. */
export function SaveDialog({
  organisation,
  source,
  saved,
  mapping,
  onSaved,
  onBehind,
  onClose,
}: {
  organisation: Organisation;
  source: RelaySource;
  saved: Mapping;
  mapping: Mapping;
  /** @param said what was done, in a sentence */
  onSaved: (said: string) => void;
  /** Somebody saved another version meanwhile. */
  onBehind: () => void;
  onClose: () => void;
}) {
  const [note, setNote] = useState('');
  const [test, setTest] = useState<MappingTest>();
  useEffect(() => {
    relayOf(organisation.id)
      .testMapping(source.id, mapping)
      .then(setTest, () => undefined);
  }, [organisation.id, source.id, mapping]);
  const changes = changedFields(saved, mapping);
  const version = source.mapping_version + 1;
  return (
    <FormDialog
      label={`Save version ${version}`}
      title={`Save version ${version}`}
      lead="It holds from the next request on. Requests that could not be read are tried again with it."
      fields={['note']}
      act={`Save version ${version}`}
      onSend={async () => {
        try {
          await relayOf(organisation.id).saveMapping(source.id, {
            mapping,
            after: source.mapping_version,
            ...(note.trim() === '' ? {} : { note }),
          });
        } catch (error) {
          // The draft stays, and the editor says from which version it began and which one is there now.
          if (error instanceof DeskError && error.code === 'conflict') return onBehind();
          throw error;
        }
        onSaved(`Version ${version} is live.${test === undefined ? '' : ` ${liveText(test)}`}`);
      }}
      onClose={onClose}
    >
      {(errorOf) => (
        <>
          {changes.length > 0 && (
            <ul className="mp-changes">
              {changes.slice(0, 12).map(({ field, how }) => (
                <li key={`${field} ${how}`}>
                  <code>{field}</code> <span className="q">{how}</span>
                </li>
              ))}
              {changes.length > 12 && <li className="q">and {changes.length - 12} more</li>}
            </ul>
          )}
          <p role="status">
            {test === undefined ? <span className="q">Trying it on every kept request…</span> : <Result test={test} />}
          </p>
          <Field label="Note" optional help="What was changed, in your words." error={errorOf('note')}>
            {(props) => (
              <input
                {...props}
                className="in"
                maxLength={200}
                value={note}
                onChange={(event) => setNote(event.target.value)}
              />
            )}
          </Field>
        </>
      )}
    </FormDialog>
  );
}

function liveText({ captures, clean }: MappingTest): string {
  if (captures === 0) return '';
  return `${captures - clean} of ${captures} kept requests ${captures - clean === 1 ? 'fails' : 'fail'}.`;
}

function Result({ test: { captures, clean, failures } }: { test: MappingTest }) {
  if (captures === 0) return <span className="q">No request is kept to try it on.</span>;
  const [first] = failures;
  if (first === undefined)
    return (
      <span className="st ok">
        <Glyph state="ok" />
        <span>
          {captures === 1 ? 'The kept request is read cleanly.' : `All ${captures} kept requests are read cleanly.`}
        </span>
      </span>
    );
  const words = fieldProblem(first.field ?? '', first.reason);
  return (
    <span className="st bad">
      <Glyph state="bad" />
      <span>
        {captures - clean} of {captures} kept requests are not read cleanly, such as one where{' '}
        {first.field === null ? words : `${first.field} ${words}`}.
      </span>
    </span>
  );
}
