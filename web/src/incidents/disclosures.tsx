import { useCallback, useState } from 'react';
import type { Disclosure, DisclosureKind } from '../../../contract/disclosures.ts';
import { Fact } from '../controls/fact.tsx';
import { Field } from '../controls/field.tsx';
import { FormDialog } from '../controls/form_dialog.tsx';
import { Glyph, Icon } from '../controls/icons.tsx';
import { may, type Organisation } from '../desk/session.tsx';
import { momentInZone, readerToday } from '../edge/reader.ts';
import { Empty } from '../overview/states.tsx';
import { dayText } from '../period/words.ts';
import { useRead } from '../windows/parts.tsx';
import { disclosures } from './api.ts';
import { ClassesChoice } from './classes_choice.tsx';
import { disclosureWords, touched } from './words.ts';

/** What authorities asked for, who allowed it, what was handed over, and whether whom it is about knows. */
export function Disclosures({ organisation }: { organisation: Organisation }) {
  const { id } = organisation;
  const { answer, set, reload, instead } = useRead(
    useCallback(() => disclosures.list(id), [id]),
    'the register of disclosures',
    ['Demand'],
  );
  const [isEntering, setEntering] = useState(false);
  const changed = (one: Disclosure) => {
    if (answer !== undefined)
      set({ ...answer, disclosures: answer.disclosures.map((old) => (old.id === one.id ? one : old)) });
  };
  const older = async (before: number) => {
    const more = await disclosures.list(id, before).catch(() => undefined);
    if (more !== undefined && answer !== undefined)
      set({ disclosures: [...answer.disclosures, ...more.disclosures], next: more.next });
  };
  return (
    <section className="panel in-disclosures" aria-labelledby="disclosures">
      <div className="in-lead">
        <div>
          <h2 id="disclosures">Disclosures</h2>
          <p className="q2">
            What an authority demands is entered before anything leaves: its ground, the data and the extent. A second
            owner or privacy officer allows or refuses it, where there is one. Every entry stays as it was written.
          </p>
        </div>
        {may(organisation, 'policy.manage') && (
          <button type="button" className="btn" onClick={() => setEntering(true)}>
            Enter a demand
          </button>
        )}
      </div>
      {answer === undefined ? (
        instead
      ) : answer.disclosures.length === 0 ? (
        <Empty title="No authority has asked for anything.">
          A demand of a court, the police or a tax office is entered here, also one that is refused.
        </Empty>
      ) : (
        answer.disclosures.map((one) => <Line key={one.id} of={one} organisation={organisation} onChanged={changed} />)
      )}
      {answer !== undefined && answer.next !== null && (
        <footer className="in-more">
          <button type="button" className="btn" onClick={() => void older(answer.next as number)}>
            Older ones
          </button>
        </footer>
      )}
      {isEntering && (
        <EnterForm
          organisation={organisation}
          onClose={() => setEntering(false)}
          onSaved={() => {
            setEntering(false);
            reload();
          }}
        />
      )}
    </section>
  );
}

const states = {
  waiting: { state: 'idle', text: 'waits for a decision' },
  allowed: { state: 'idle', text: 'allowed, nothing handed over' },
  refused: { state: 'ok', text: 'refused' },
  disclosed: { state: 'ok', text: 'handed over' },
} as const;
const subjectWords = { open: 'not decided', told: 'told', untold: 'not told, with a reason' } as const;

function Line({
  of,
  organisation,
  onChanged,
}: {
  of: Disclosure;
  organisation: Organisation;
  onChanged: (one: Disclosure) => void;
}) {
  const [doing, setDoing] = useState<DisclosureKind>();
  const { state, text } = states[of.state];
  const today = readerToday();
  const acts: readonly [DisclosureKind, boolean][] = [
    ['allowed', of.state === 'waiting' && of.may_decide],
    ['refused', of.state === 'waiting' && of.may_decide],
    ['disclosed', of.state === 'allowed' || of.state === 'disclosed'],
    ['told', of.subject !== 'told'],
    ['untold', of.subject === 'open'],
    ['noted', true],
  ];
  return (
    <details className="in-one">
      <summary className="opens">
        <b>{of.authority}</b>
        <span className={`st ${state}`}>
          <Glyph state={state} />
          {text}
        </span>
        <span className="q2">asked {dayText(of.asked_on, today)}</span>
        <Icon name="right" />
      </summary>
      <div className="in-body">
        <p className="in-what">{of.scope}</p>
        <dl>
          <Fact name="Legal ground">{of.ground}</Fact>
          {of.reference !== null && <Fact name="Its reference">{of.reference}</Fact>}
          <Fact name="Data">
            {of.classes.map((one) => touched.find(([known]) => known === one)?.[1] ?? `class ${one}`).join(', ')}
          </Fact>
          <Fact name="Whom it is about">{subjectWords[of.subject]}</Fact>
        </dl>
        {of.entries.length > 0 && (
          <ol className="in-log">
            {of.entries.map((entry) => (
              <li key={entry.id}>
                <time dateTime={entry.at}>{momentInZone(entry.at)}</time>
                <b>
                  {disclosureWords[entry.kind].done}
                  {entry.alone ? ', by who entered it: there was no second person' : ''}
                </b>
                <span>{entry.said}</span>
              </li>
            ))}
          </ol>
        )}
        {may(organisation, 'policy.manage') && (
          <>
            {of.state === 'waiting' && !of.may_decide && (
              <p className="q2">You entered it, so another owner or privacy officer decides it.</p>
            )}
            <div className="in-acts">
              {acts
                .filter(([, isOpen]) => isOpen)
                .map(([kind]) => (
                  <button
                    key={kind}
                    type="button"
                    className={kind === 'allowed' ? 'btn sm main-act' : kind === 'noted' ? 'btn sm quiet' : 'btn sm'}
                    onClick={() => setDoing(kind)}
                  >
                    {disclosureWords[kind].act}
                  </button>
                ))}
            </div>
          </>
        )}
        {doing !== undefined && (
          <EntryForm
            of={of}
            kind={doing}
            organisation={organisation}
            onClose={() => setDoing(undefined)}
            onSaved={(one) => {
              setDoing(undefined);
              onChanged(one);
            }}
          />
        )}
      </div>
    </details>
  );
}

function EntryForm({
  of,
  kind,
  organisation,
  onClose,
  onSaved,
}: {
  of: Disclosure;
  kind: DisclosureKind;
  organisation: Organisation;
  onClose: () => void;
  onSaved: (one: Disclosure) => void;
}) {
  const [said, setSaid] = useState('');
  const words = disclosureWords[kind];
  return (
    <FormDialog
      label={words.act}
      title={words.act}
      fields={['said']}
      act={words.act}
      isResting={said.trim() === ''}
      onSend={async () => onSaved(await disclosures.add(organisation.id, of.id, { kind, said }))}
      onClose={onClose}
    >
      {(errorOf, clear) => (
        <Field label={words.ask} help={words.help} error={errorOf('said')}>
          {(props) => (
            <textarea
              {...props}
              className="in in-words"
              rows={3}
              maxLength={2_000}
              value={said}
              onChange={(event) => {
                clear();
                setSaid(event.target.value);
              }}
            />
          )}
        </Field>
      )}
    </FormDialog>
  );
}

type Changed = { target: { value: string } };

function EnterForm({
  organisation,
  onClose,
  onSaved,
}: {
  organisation: Organisation;
  onClose: () => void;
  onSaved: () => void;
}) {
  const [words, setWords] = useState({ authority: '', reference: '', ground: '', scope: '', asked_on: readerToday() });
  const [classes, setClasses] = useState<readonly string[]>([]);
  const send = async () => {
    await disclosures.enter(organisation.id, { ...words, classes: [...classes] });
    onSaved();
  };
  const isWhole = [words.authority, words.ground, words.scope, words.asked_on].every((one) => one.trim() !== '');
  return (
    <FormDialog
      label="Enter a demand"
      title="Enter a demand of an authority"
      lead={<p>Nothing is handed over before it was allowed here. Names of persons stay in the demand itself.</p>}
      fields={['authority', 'reference', 'ground', 'classes', 'scope', 'asked_on']}
      act="Enter demand"
      isResting={!isWhole || classes.length === 0}
      onSend={send}
      onClose={onClose}
    >
      {(errorOf, clear) => {
        const text = (name: keyof typeof words, label: string, max: number, help?: string) => (
          <Field label={label} {...(help === undefined ? {} : { help })} error={errorOf(name)}>
            {(props) => (
              <input
                {...props}
                className="in"
                type={name === 'asked_on' ? 'date' : 'text'}
                maxLength={max}
                value={words[name]}
                onChange={(event: Changed) => {
                  clear();
                  setWords({ ...words, [name]: event.target.value });
                }}
              />
            )}
          </Field>
        );
        return (
          <>
            {text('authority', 'Authority', 200)}
            {text('reference', 'Its reference', 120, 'Number of its file, if it names one.')}
            {text('ground', 'Legal ground', 500, 'The law or order that it names.')}
            {text('asked_on', 'Asked on', 10)}
            <ClassesChoice
              chosen={classes}
              onChange={(chosen) => {
                clear();
                setClasses(chosen);
              }}
            />
            <Field label="What exactly it asks for" error={errorOf('scope')}>
              {(props) => (
                <textarea
                  {...props}
                  className="in in-words"
                  rows={3}
                  maxLength={2_000}
                  value={words.scope}
                  onChange={(event) => {
                    clear();
                    setWords({ ...words, scope: event.target.value });
                  }}
                />
              )}
            </Field>
          </>
        );
      }}
    </FormDialog>
  );
}
