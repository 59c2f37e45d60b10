import { useState } from 'react';
import { Field, Select } from '../controls/field.tsx';
import { FormDialog } from '../controls/form_dialog.tsx';
import { type Receiver, register, type Statement } from './api.ts';
import { basisWords } from './words.ts';

const texts = [
  ['legal_name', 'Name of the company', 120, undefined],
  ['country', 'Country where it processes', 2, 'Two letters, such as DE, IE or US.'],
] as const;
const papers = [
  ['contract', 'Processing contract (optional)', 200, 'Where it is found: a number, a folder, an address.'],
  ['policy_url', 'Privacy policy (optional)', 500, 'Begins with https://.'],
  ['terms_url', 'Terms (optional)', 500, 'Begins with https://.'],
] as const;
const days = [
  ['contract_on', 'Day of the contract (optional)'],
  ['checked_on', 'Policy and terms last read (optional)'],
] as const;
const members = ['legal_name', 'country', 'basis', 'contract', 'contract_on', 'policy_url', 'terms_url', 'checked_on'];

type Texts = Record<Exclude<keyof Statement, 'basis'>, string>;

/** What who runs the desk knows of a receiver and the code does not. */
export function StatementForm({
  receiver,
  onClose,
  onSaved,
}: {
  receiver: Receiver;
  onClose: () => void;
  onSaved: (receiver: Receiver) => void;
}) {
  const [basis, setBasis] = useState<string>(receiver.basis ?? '');
  const [said, setSaid] = useState<Texts>({
    ...{ legal_name: receiver.legal_name ?? '', country: receiver.country ?? '', contract: receiver.contract ?? '' },
    ...{ contract_on: receiver.contract_on ?? '', checked_on: receiver.checked_on ?? '' },
    ...{ policy_url: receiver.policy_url ?? '', terms_url: receiver.terms_url ?? '' },
  });
  const send = async () => {
    const filled = Object.fromEntries(Object.entries({ ...said, basis }).filter(([, value]) => value.trim() !== ''));
    onSaved(await register.state(receiver.id, filled as Statement));
  };
  return (
    <FormDialog
      label="State who receives"
      title={`Who is ${receiver.label}?`}
      lead={
        <p>A further version of the register. It holds at once, for {receiver.hosts[0] ?? 'its present host'} alone.</p>
      }
      fields={members}
      act="State this"
      isResting={said.legal_name.trim() === '' || said.country.length !== 2}
      onSend={send}
      onClose={onClose}
    >
      {(errorOf, clear) => {
        const put = (name: keyof Texts) => (event: { target: { value: string } }) => {
          clear();
          const { value } = event.target;
          setSaid((before) => ({ ...before, [name]: name === 'country' ? value.toUpperCase() : value }));
        };
        const line = ([name, label, max, help]: (typeof texts | typeof papers)[number]) => (
          <Field key={name} label={label} error={errorOf(name)} {...(help === undefined ? {} : { help })}>
            {(props) => <input {...props} className="in" maxLength={max} value={said[name]} onChange={put(name)} />}
          </Field>
        );
        return (
          <>
            {texts.map(line)}
            <Field label="What the transfer rests on" error={errorOf('basis')}>
              {(props) => (
                <Select
                  {...props}
                  value={basis}
                  onChange={(event) => {
                    clear();
                    setBasis(event.target.value);
                  }}
                >
                  <option value="">Nothing is stated</option>
                  {Object.entries(basisWords).map(([value, label]) => (
                    <option key={value} value={value}>
                      {label}
                    </option>
                  ))}
                </Select>
              )}
            </Field>
            {papers.map(line)}
            {days.map(([name, label]) => (
              <Field key={name} label={label} error={errorOf(name)}>
                {(props) => <input {...props} className="in" type="date" value={said[name]} onChange={put(name)} />}
              </Field>
            ))}
          </>
        );
      }}
    </FormDialog>
  );
}
