import { useState } from 'react';
import { creditLimits, creditMicro } from '../../../../contract/credit_unit.ts';
import type { Credits } from '../../../../contract/credits.ts';
import { Field } from '../../controls/field.tsx';
import { FormDialog } from '../../controls/form_dialog.tsx';
import { exactCount } from '../../numbers/format.ts';
import type { Here } from '../reading/frame.tsx';
import { credits } from './api.ts';

/** Adds credits, or takes back what is left of them: for whoever runs the desk. */
export function AddCredits({
  organisation,
  answer: { balance },
  onClose,
  onDone,
}: {
  organisation: Here;
  answer: Credits;
  onClose: () => void;
  onDone: () => void;
}) {
  const [isBack, setBack] = useState(false);
  const [amount, setAmount] = useState('');
  const [until, setUntil] = useState('');
  const [reference, setReference] = useState('');
  const digits = amount.replaceAll(/[\s.,’']/g, '');
  const number = /^\d{1,10}$/.test(digits) ? Number(digits) : 0;
  const isReady = number >= 1 && number <= creditLimits.atOnceMax;
  const send = async () => {
    await credits.change(organisation.id, {
      credits: isBack ? -number : number,
      ...(isBack || until === '' ? {} : { expires_on: until }),
      ...(reference.trim() === '' ? {} : { reference: reference.trim() }),
      // What was there when the form was opened: sent twice, it is done once.
      key: `page-${balance.granted / creditMicro}-${balance.consumed / creditMicro}-${isBack ? 'back' : 'add'}-${number}`,
    });
    onDone();
  };
  return (
    <FormDialog
      label="Add credits"
      title={isBack ? `Take credits of ${organisation.name} back` : `Add credits to ${organisation.name}`}
      lead={
        isBack
          ? `${exactCount(balance.available / creditMicro)} can be taken back. The others were used, or are held while sending.`
          : 'What waits for credits is sent at once, the oldest first.'
      }
      fields={['credits', 'expires_on', 'reference']}
      act={isBack ? 'Take back' : 'Add credits'}
      acting={isBack ? 'Taking back…' : 'Adding…'}
      isResting={!isReady}
      isDangerous={isBack}
      onSend={send}
      onClose={onClose}
    >
      {(errorOf, clear) => (
        <>
          <fieldset className="seg cr-seg" aria-label="What to do">
            {[false, true].map((back) => (
              <button key={String(back)} type="button" aria-pressed={isBack === back} onClick={() => setBack(back)}>
                {back ? 'Take back' : 'Add'}
              </button>
            ))}
          </fieldset>
          <Field
            label="Credits"
            error={errorOf('credits')}
            help={
              isReady
                ? `${exactCount(number)} deliveries that are accepted.`
                : 'Whole credits, one for each accepted delivery.'
            }
          >
            {(props) => (
              <span className="in">
                <input
                  {...props}
                  inputMode="numeric"
                  autoComplete="off"
                  value={amount}
                  onChange={(event) => {
                    setAmount(event.target.value);
                    clear();
                  }}
                />
              </span>
            )}
          </Field>
          {!isBack && (
            <Field
              label="Can be used until"
              optional
              error={errorOf('expires_on')}
              help="The last day, in UTC. Without one they have no end."
            >
              {(props) => (
                <span className="in">
                  <input
                    {...props}
                    type="date"
                    value={until}
                    onChange={(event) => {
                      setUntil(event.target.value);
                      clear();
                    }}
                  />
                </span>
              )}
            </Field>
          )}
          <Field
            label="Reference"
            optional
            error={errorOf('reference')}
            help="Such as the number of an invoice. It stands in the ledger; no name of a person belongs into it."
          >
            {(props) => (
              <span className="in">
                <input
                  {...props}
                  maxLength={creditLimits.referenceChars}
                  value={reference}
                  onChange={(event) => {
                    setReference(event.target.value);
                    clear();
                  }}
                />
              </span>
            )}
          </Field>
        </>
      )}
    </FormDialog>
  );
}
