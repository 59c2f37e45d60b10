import { useState } from 'react';
import type { OwnConsents } from '../../../contract/consent_records.ts';
import { FormError } from '../controls/field.tsx';
import { asDeskError, call, type DeskError } from '../desk/api.ts';
import { useReading } from '../desk/reading.ts';
import { momentText } from '../edge/reader.ts';
import { Toggle } from '../settings/toggle.tsx';

type One = OwnConsents['consents'][number];

const names: Readonly<Record<One['purpose'], string>> = {
  marketing_mail: 'Mail with news and offers',
  optional_ai: 'Optional AI features',
  optional_analytics: 'Counting the pages that I open',
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
        Nobody needs to: everything works without. Each choice is kept as a record and holds at once. The records go
        along with a copy of your data, and three years after you took them back.
      </p>
      <FormError message={refusal?.message} reference={refusal?.reference} />
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
    </section>
  );
}

const read = () => call<OwnConsents>('GET', path);
