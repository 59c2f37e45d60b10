import { useState } from 'react';
import { Field, Select } from '../controls/field.tsx';
import { FormDialog } from '../controls/form_dialog.tsx';
import { type Organisation, useSession } from '../desk/session.tsx';
import { now } from '../edge/browser.ts';
import { readerInput, readerInstant, readerZone } from '../edge/reader.ts';
import { type Draft, type Incident, incidents, type NewIncident } from './api.ts';
import { ClassesChoice } from './classes_choice.tsx';
import { alertWords, severityWords } from './words.ts';

type Changed = { target: { value: string } };

export function OpenForm({
  organisation,
  draft,
  onClose,
  onSaved,
}: {
  organisation: Organisation;
  /** What an alert saw or somebody reported, where it is entered because of it. */
  draft?: Draft | undefined;
  onClose: () => void;
  onSaved: (incident: Incident) => void;
}) {
  const sites = useSession().sites.filter((one) => one.organisation_id === organisation.id);
  const [title, setTitle] = useState(draft === undefined ? '' : alertWords(draft));
  const [what, setWhat] = useState(draft?.concern?.said.slice(0, 2_000) ?? draft?.what ?? '');
  const [severity, setSeverity] = useState<NewIncident['severity']>('high');
  const [classes, setClasses] = useState<readonly string[]>([]);
  const [site, setSite] = useState('');
  const [began, setBegan] = useState(() =>
    draft?.concern?.happened_on == null
      ? readerInput(draft === undefined ? now() : Date.parse(draft.raised_at))
      : `${draft.concern.happened_on}T00:00`,
  );
  const [known, setKnown] = useState(() => readerInput(now()));
  const send = async () => {
    const opened = await incidents.open(organisation.id, {
      ...{ title, what, severity, classes: [...classes], sites: site === '' ? [] : [site] },
      ...{ began_at: readerInstant(began), known_at: readerInstant(known) },
      ...(draft === undefined ? {} : { draft: draft.id }),
    });
    onSaved(opened);
  };
  return (
    <FormDialog
      label="Enter an incident"
      title="Enter an incident"
      lead={<p>The 72 hours run from when it became known. Write what is known now; more is added later.</p>}
      fields={['title', 'what', 'severity', 'classes', 'sites', 'began_at', 'known_at']}
      act="Enter incident"
      isResting={title.trim() === '' || what.trim() === '' || classes.length === 0 || began === '' || known === ''}
      onSend={send}
      onClose={onClose}
    >
      {(errorOf, clear) => {
        const set = (change: (value: string) => void) => (event: Changed) => {
          clear();
          change(event.target.value);
        };
        const moment = (label: string, field: string, value: string, change: (value: string) => void) => (
          <Field label={label} help={`In ${readerZone()}.`} error={errorOf(field)}>
            {(props) => <input {...props} className="in" type="datetime-local" value={value} onChange={set(change)} />}
          </Field>
        );
        return (
          <>
            <Field label="Name" help="A few words, without names of persons." error={errorOf('title')}>
              {(props) => <input {...props} className="in" maxLength={120} value={title} onChange={set(setTitle)} />}
            </Field>
            <Field label="What happened" error={errorOf('what')}>
              {(props) => (
                <textarea
                  {...props}
                  className="in in-words"
                  rows={3}
                  maxLength={2_000}
                  value={what}
                  onChange={set(setWhat)}
                />
              )}
            </Field>
            <Field label="Severity" error={errorOf('severity')}>
              {(props) => (
                <Select
                  {...props}
                  value={severity}
                  onChange={set((value) => setSeverity(value as NewIncident['severity']))}
                >
                  {Object.entries(severityWords).map(([value, label]) => (
                    <option key={value} value={value}>
                      {label}
                    </option>
                  ))}
                </Select>
              )}
            </Field>
            <ClassesChoice
              chosen={classes}
              onChange={(chosen) => {
                clear();
                setClasses(chosen);
              }}
            />
            <Field label="Site" error={errorOf('sites')}>
              {(props) => (
                <Select {...props} value={site} onChange={set(setSite)}>
                  <option value="">All sites of the organisation</option>
                  {sites.map(({ domain }) => (
                    <option key={domain} value={domain}>
                      {domain}
                    </option>
                  ))}
                </Select>
              )}
            </Field>
            {moment('Began', 'began_at', began, setBegan)}
            {moment('Became known', 'known_at', known, setKnown)}
          </>
        );
      }}
    </FormDialog>
  );
}

interface FormProps {
  organisation: Organisation;
  incident: Incident;
  onClose: () => void;
  onSaved: (incident: Incident) => void;
}

export function EntryForm({
  organisation,
  incident,
  kind,
  onClose,
  onSaved,
}: FormProps & { kind: 'found' | 'measure' }) {
  const [said, setSaid] = useState('');
  const title = kind === 'found' ? 'Add what was found' : 'Add a measure';
  return (
    <FormDialog
      label={title}
      title={title}
      fields={['said']}
      act="Add to the log"
      isResting={said.trim() === ''}
      onSend={async () => onSaved(await incidents.add(organisation.id, incident.id, { kind, said }))}
      onClose={onClose}
    >
      {(errorOf, clear) => <Words label="What" value={said} error={errorOf('said')} onChange={setSaid} clear={clear} />}
    </FormDialog>
  );
}

export function CloseForm({ organisation, incident, onClose, onSaved }: FormProps) {
  const [said, setSaid] = useState('');
  return (
    <FormDialog
      label="Close the incident"
      title={`Close “${incident.title}”?`}
      lead={<p>It stays in the register, and what is found later can still be added.</p>}
      fields={['said']}
      act="Close incident"
      isResting={said.trim() === ''}
      onSend={async () => onSaved(await incidents.close(organisation.id, incident.id, said))}
      onClose={onClose}
    >
      {(errorOf, clear) => (
        <Words label="How it ended" value={said} error={errorOf('said')} onChange={setSaid} clear={clear} />
      )}
    </FormDialog>
  );
}

export function ReportForm({ organisation, incident, onClose, onSaved }: FormProps) {
  const [isTold, setTold] = useState(true);
  const [authority, setAuthority] = useState('');
  const [at, setAt] = useState(() => readerInput(now()));
  const [reason, setReason] = useState('');
  const send = async () =>
    onSaved(
      await incidents.report(
        organisation.id,
        incident.id,
        isTold ? { authority, told_at: readerInstant(at) } : { untold_reason: reason },
      ),
    );
  return (
    <FormDialog
      label="Decide about the authority"
      title="Was an authority told?"
      lead={<p>This desk tells nobody by itself. What was told stays in the register.</p>}
      fields={['authority', 'told_at', 'untold_reason']}
      act="Save the decision"
      isResting={isTold ? authority.trim() === '' || at === '' : reason.trim() === ''}
      onSend={send}
      onClose={onClose}
    >
      {(errorOf, clear) => (
        <>
          <Field label="Decision" error={undefined}>
            {(props) => (
              <Select
                {...props}
                value={isTold ? 'told' : 'untold'}
                onChange={(event) => {
                  clear();
                  setTold(event.target.value === 'told');
                }}
              >
                <option value="told">An authority was told</option>
                <option value="untold">None has to be told</option>
              </Select>
            )}
          </Field>
          {isTold ? (
            <>
              <Field label="Authority" error={errorOf('authority')}>
                {(props) => (
                  <input
                    {...props}
                    className="in"
                    maxLength={120}
                    value={authority}
                    onChange={(event) => {
                      clear();
                      setAuthority(event.target.value);
                    }}
                  />
                )}
              </Field>
              <Field label="Told at" help={`In ${readerZone()}.`} error={errorOf('told_at')}>
                {(props) => (
                  <input
                    {...props}
                    className="in"
                    type="datetime-local"
                    value={at}
                    onChange={(event) => {
                      clear();
                      setAt(event.target.value);
                    }}
                  />
                )}
              </Field>
            </>
          ) : (
            <Words
              label="Why none"
              value={reason}
              error={errorOf('untold_reason')}
              onChange={setReason}
              clear={clear}
            />
          )}
        </>
      )}
    </FormDialog>
  );
}

function Words({
  label,
  value,
  error,
  onChange,
  clear,
}: {
  label: string;
  value: string;
  error: string | undefined;
  onChange: (value: string) => void;
  clear: () => void;
}) {
  return (
    <Field label={label} error={error}>
      {(props) => (
        <textarea
          {...props}
          className="in in-words"
          rows={4}
          maxLength={2_000}
          value={value}
          onChange={(event) => {
            clear();
            onChange(event.target.value);
          }}
        />
      )}
    </Field>
  );
}
