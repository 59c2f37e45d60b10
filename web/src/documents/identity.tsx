import { useState } from 'react';
import { Fact } from '../controls/fact.tsx';
import { Field } from '../controls/field.tsx';
import { FormDialog } from '../controls/form_dialog.tsx';
import { Glyph } from '../controls/icons.tsx';
import { documents, type IdentityAnswer, type OperatorIdentity } from './api.ts';
import { type FieldName, fields, needed } from './words.ts';

type Party = Pick<OperatorIdentity, FieldName> & { measuring_basis?: string | null };

/** Who somebody is, and what of it is not said yet. */
export function Identity({
  title,
  party,
  onChange,
  who,
}: {
  title: string;
  party: Party;
  /** Absent for who may not. */
  onChange: (() => void) | undefined;
  /** Who could say it, where the reader cannot. */
  who: string;
}) {
  const missing = missingIn(party);
  return (
    <div className="do-who">
      <h3>{title}</h3>
      {missing.length > 0 && (
        <p className="st idle">
          <Glyph state="idle" />
          <span>
            Not said yet: {missing.join(', ')}.{onChange === undefined && ` ${who}`}
          </span>
        </p>
      )}
      <dl>
        {fields.map(([name, label]) =>
          party[name] === null ? null : (
            <Fact key={name} name={label}>
              {party[name]}
            </Fact>
          ),
        )}
        {party.measuring_basis !== undefined && party.measuring_basis !== null && (
          <Fact name="Interest for which visits are measured">{party.measuring_basis}</Fact>
        )}
      </dl>
      {onChange !== undefined && (
        <button type="button" className="btn" onClick={onChange}>
          {missing.length > 0 ? 'Say who this is' : 'Change who this is'}
          <span className="vh"> of {title}</span>
        </button>
      )}
    </div>
  );
}

export function missingIn(party: Party): string[] {
  const names = fields
    .filter(([name]) => needed.includes(name) && party[name] === null)
    .map(([, label]) => label.toLowerCase());
  return party.measuring_basis === null ? [...names, 'the interest for which visits are measured'] : names;
}

/** One form for both: of the organisation, which also says for which interest it measures, and of the operator. */
export function IdentityForm({
  organisation,
  identity,
  onClose,
  onSaved,
}: {
  /** Undefined: of the operator. */
  organisation: { id: number; name: string } | undefined;
  identity: IdentityAnswer;
  onClose: () => void;
  onSaved: (identity: IdentityAnswer) => void;
}) {
  const before = organisation === undefined ? identity.operator : identity.organisation;
  const [said, setSaid] = useState<Record<FieldName, string>>(
    () => Object.fromEntries(fields.map(([name]) => [name, before[name] ?? ''])) as Record<FieldName, string>,
  );
  const [basis, setBasis] = useState(identity.organisation.measuring_basis ?? '');
  const send = async () =>
    onSaved(
      organisation === undefined
        ? { ...identity, operator: await documents.sayOperator(said) }
        : await documents.sayWho(organisation.id, { ...said, measuring_basis: basis }),
    );
  return (
    <FormDialog
      label="Say who this is"
      title={organisation === undefined ? 'Who runs this desk?' : `Who is ${organisation.name}?`}
      lead={<p>Public: it stands in every document and at the foot of every page under /legal.</p>}
      fields={[...fields.map(([name]) => name), 'measuring_basis']}
      act="Save as a further version"
      onSend={send}
      onClose={onClose}
    >
      {(errorOf, clear) => (
        <>
          {fields.map(([name, label, help, max]) => (
            <Field
              key={name}
              label={label}
              error={errorOf(name)}
              optional={!needed.includes(name)}
              {...(help === undefined ? {} : { help })}
            >
              {(props) => {
                const more = {
                  ...{ ...props, maxLength: max, value: said[name] },
                  onChange: (event: { target: { value: string } }) => {
                    clear();
                    setSaid({ ...said, [name]: event.target.value });
                  },
                };
                return name === 'address' ? (
                  <textarea {...more} className="in do-words" />
                ) : (
                  <input {...more} className="in" />
                );
              }}
            </Field>
          ))}
          {organisation !== undefined && (
            <Field
              label="The interest for which visits are measured"
              error={errorOf('measuring_basis')}
              help="In your words, such as: to know which pages are read. On what basis they are measured where comes from Trust, Consent."
            >
              {(props) => (
                <textarea
                  {...props}
                  className="in do-words"
                  maxLength={1_000}
                  value={basis}
                  onChange={(event) => {
                    clear();
                    setBasis(event.target.value);
                  }}
                />
              )}
            </Field>
          )}
        </>
      )}
    </FormDialog>
  );
}
