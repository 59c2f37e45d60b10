import { useState } from 'react';
import { Field, Select } from '../controls/field.tsx';
import { FormDialog } from '../controls/form_dialog.tsx';
import type { Organisation } from '../desk/session.tsx';
import { readerToday } from '../edge/reader.ts';
import { type NewRequest, type RequestDetail, requests } from './api.ts';
import { kindWords, wayWords } from './words.ts';

/** A request that reached the organisation outside of the desk. */
export function EnterForm({
  organisation,
  onClose,
  onSaved,
}: {
  organisation: Organisation;
  onClose: () => void;
  onSaved: (made: RequestDetail) => void;
}) {
  const [kind, setKind] = useState<NewRequest['kind']>('access');
  const [received, setReceived] = useState(readerToday());
  const [way, setWay] = useState<NonNullable<NewRequest['came_by']>>('mail');
  const [email, setEmail] = useState('');
  const [phone, setPhone] = useState('');
  const [external, setExternal] = useState('');
  const [agent, setAgent] = useState('');
  const send = async () =>
    onSaved(
      await requests.enter(organisation.id, {
        ...{ kind, received_on: received, came_by: way },
        ...(email.trim() === '' ? {} : { email: email.trim() }),
        ...(phone.trim() === '' ? {} : { phone }),
        ...(external.trim() === '' ? {} : { external_id: external }),
        ...(agent.trim() === '' ? {} : { agent }),
      }),
    );
  return (
    <FormDialog
      label="Enter a request"
      title="Enter a request"
      lead={<p>Who asks is stored sealed, and goes when the request is closed.</p>}
      fields={['kind', 'received_on', 'came_by', 'email', 'phone', 'external_id', 'agent']}
      act="Enter request"
      isResting={`${email}${phone}${external}`.trim() === ''}
      onSend={send}
      onClose={onClose}
    >
      {(errorOf, clear) => {
        const set = (change: (value: string) => void) => (event: { target: { value: string } }) => {
          clear();
          change(event.target.value);
        };
        return (
          <>
            <Field label="What is asked" error={errorOf('kind')}>
              {(props) => (
                <Select {...props} value={kind} onChange={set((value) => setKind(value as NewRequest['kind']))}>
                  {Object.entries(kindWords).map(([value, label]) => (
                    <option key={value} value={value}>
                      {label}
                    </option>
                  ))}
                </Select>
              )}
            </Field>
            <Field label="Came on" help="The clock runs from this day." error={errorOf('received_on')}>
              {(props) => (
                <input
                  {...props}
                  className="in"
                  type="date"
                  max={readerToday()}
                  value={received}
                  onChange={set(setReceived)}
                />
              )}
            </Field>
            <Field label="How it came" error={errorOf('came_by')}>
              {(props) => (
                <Select {...props} value={way} onChange={set((value) => setWay(value as typeof way))}>
                  {(['mail', 'phone', 'letter', 'in-person'] as const).map((one) => (
                    <option key={one} value={one}>
                      {wayWords[one].replace(/^./, (first) => first.toUpperCase())}
                    </option>
                  ))}
                </Select>
              )}
            </Field>
            <Field label="E-mail" help="One of these three at least." error={errorOf('email')}>
              {(props) => (
                <input {...props} className="in" type="email" maxLength={254} value={email} onChange={set(setEmail)} />
              )}
            </Field>
            <Field label="Phone" error={errorOf('phone')}>
              {(props) => (
                <input {...props} className="in" type="tel" maxLength={40} value={phone} onChange={set(setPhone)} />
              )}
            </Field>
            <Field label="Id in your systems" error={errorOf('external_id')}>
              {(props) => (
                <input {...props} className="in" maxLength={200} value={external} onChange={set(setExternal)} />
              )}
            </Field>
            <Field label="Agent" help="Only where somebody asks for them." error={errorOf('agent')}>
              {(props) => <input {...props} className="in" maxLength={120} value={agent} onChange={set(setAgent)} />}
            </Field>
          </>
        );
      }}
    </FormDialog>
  );
}
