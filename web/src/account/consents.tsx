import { useState } from 'react';
import type { OwnConsents } from '../../../contract/consent_records.ts';
import { FormError } from '../controls/field.tsx';
import { asDeskError, call, type DeskError } from '../desk/api.ts';
import './account.css';
import { useReading } from '../desk/reading.ts';
import { momentText } from '../edge/reader.ts';
import { Toggle } from '../settings/toggle.tsx';

type One = OwnConsents['consents'][number];

const names: Readonly<Record<One['purpose'], string>> = {
  marketing_mail: 'Mail with news and offers',
  optional_ai: 'Optional AI features',
  optional_analytics: 'Counting the pages that I open and the features that I use',
};
const path = '/api/account/consents';

/** What I may agree to and need not, word for word, and taking it back by the same switch. */
export function OwnConsentsPart() {
  const { answer, problem, set } = useReading(read);
  const [refusal, setRefusal] = useState<DeskError>();
  if (answer === undefined) return problem === undefined ? null : <FormError message={problem.message} />;
  async function choose({ purpose, text_version }: One, isGiven: boolean) {
    setRefusal(undefined);
    try {
      set(await call<OwnConsents>('PUT', `${path}/${purpose}`, { body: { is_given: isGiven, text_version } }));
    } catch (error) {
      setRefusal(asDeskError(error));
    }
  }
  return (
    <section>
      <h2>What you may agree to</h2>
      <p>
        Nobody needs to: everything works without. Each choice holds at once and is kept as a record, which a copy of
        your data has, too; the records of a consent go three years after you took it back.
      </p>
      <FormError message={refusal?.message} reference={refusal?.reference} />
      <div className="ac-consents">
        {answer.consents.map((one) => (
          <Toggle
            key={one.purpose}
            label={names[one.purpose]}
            help={
              <>
                {one.text}
                {one.at !== null && ` ${one.is_given ? 'Given' : 'Taken back'} ${momentText(one.at)}.`}
              </>
            }
            checked={one.is_given}
            onChange={(isGiven) => void choose(one, isGiven)}
          />
        ))}
      </div>
    </section>
  );
}

const read = () => call<OwnConsents>('GET', path);
