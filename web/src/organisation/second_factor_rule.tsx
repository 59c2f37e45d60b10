import { useEffect, useState } from 'react';
import { FormError } from '../controls/field.tsx';
import type { DeskError } from '../desk/api.ts';
import { asDeskError } from '../desk/api.ts';
import type { Organisation } from '../desk/session.tsx';
import { useDesk } from '../desk/session.tsx';
import type { SecondFactorRule as Rule } from './wire.ts';
import { organisations } from './wire.ts';
import '../controls/rules.css';

const choices: readonly { rule: Rule; label: string; help: string }[] = [
  { rule: 'managers', label: 'Owners and admins', help: 'Who can change most has the most to lose.' },
  { rule: 'all', label: 'Everybody', help: 'Members without one have seven days, and hear of it on every page.' },
  { rule: 'off', label: 'Nobody', help: 'A password alone opens everything here.' },
];

/** Who must have a second factor? A choice holds from the moment it is made; whoever has none gets seven days. */
export function SecondFactorRule({ organisation }: { organisation: Organisation }) {
  const { id } = organisation;
  const { enter } = useDesk();
  const [rule, setRule] = useState<Rule>();
  const [refusal, setRefusal] = useState<DeskError>();
  useEffect(() => {
    organisations.secondFactor(id).then(
      ({ required }) => setRule(required),
      (error) => setRefusal(asDeskError(error)),
    );
  }, [id]);
  const choose = async (required: Rule) => {
    const before = rule;
    setRule(required);
    setRefusal(undefined);
    try {
      await organisations.setSecondFactor(id, required);
      await enter();
    } catch (error) {
      setRule(before);
      setRefusal(asDeskError(error, 'The rule was not changed. Try again.'));
    }
  };
  return (
    <div className="settings">
      <section>
        <h2>Second factor</h2>
        <p>Who has to confirm a sign-in with an authenticator or a passkey.</p>
        <FormError message={refusal?.message} reference={refusal?.status === 500 ? refusal.reference : undefined} />
        <fieldset className="rules" disabled={rule === undefined}>
          <legend className="vh">Who must have a second factor</legend>
          {choices.map((one) => (
            <label key={one.rule} className="rule">
              <input
                type="radio"
                name="second-factor"
                checked={rule === one.rule}
                onChange={() => void choose(one.rule)}
              />
              <span>
                <b>{one.label}</b>
                <span className="q">{one.help}</span>
              </span>
            </label>
          ))}
        </fieldset>
      </section>
    </div>
  );
}
