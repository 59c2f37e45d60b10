import { Icon } from '../../controls/icons.tsx';
import { type Step, simpleSteps, stepOf, stepText } from './model.ts';
import { PathInput } from './path_input.tsx';

/** As `mappingLimits.functionsMax` says. */
const stepsMax = 8;

/** What is done to a value, in this order: each step with what it has to know, to be moved and taken away. */
export function Steps({
  field,
  steps,
  onChange,
}: {
  field: string;
  steps: readonly Step[];
  onChange: (steps: Step[]) => void;
}) {
  return (
    <div className="mp-chain">
      {steps.map((step, at) => (
        <span className="tag mp-step" key={at}>
          {at > 0 && (
            <button
              type="button"
              aria-label={`Do “${stepText(step)}” earlier`}
              onClick={() => onChange(swapped(steps, at))}
            >
              <Icon name="left" />
            </button>
          )}
          <StepParts step={step} onChange={(next) => onChange(steps.with(at, next))} />
          <button
            type="button"
            aria-label={`Take the step “${stepText(step)}” away`}
            onClick={() => onChange(steps.toSpliced(at, 1))}
          >
            <Icon name="close" />
          </button>
        </span>
      ))}
      {steps.length < stepsMax && (
        <span className="pick">
          <select
            aria-label={`A further step for ${field}`}
            value=""
            onChange={(event) => onChange([...steps, stepOf(event.target.value)])}
          >
            <option value="">Then…</option>
            {simpleSteps.map(({ name, words }) => (
              <option key={name} value={name}>
                {words}
              </option>
            ))}
          </select>
        </span>
      )}
    </div>
  );
}

function swapped(steps: readonly Step[], at: number): Step[] {
  const [before, own] = [steps[at - 1], steps[at]];
  return before === undefined || own === undefined ? [...steps] : steps.with(at - 1, own).with(at, before);
}

const orderWords = { '': 'as ISO writes it', dmy: 'day first', mdy: 'month first' } as const;

function StepParts({ step, onChange }: { step: Step; onChange: (step: Step) => void }) {
  if (typeof step === 'string') return <span>{stepText(step)}</span>;
  if ('number' in step)
    return (
      <select
        aria-label="Its decimal mark"
        value={step.number.decimal}
        onChange={(event) => onChange({ number: { decimal: event.target.value as '.' | ',' } })}
      >
        <option value=",">decimal comma</option>
        <option value=".">decimal point</option>
      </select>
    );
  if ('query_parameter' in step)
    return (
      <>
        <span>parameter</span>
        <input
          aria-label="Name of the parameter"
          maxLength={64}
          spellCheck={false}
          value={step.query_parameter}
          onChange={(event) => onChange({ query_parameter: event.target.value })}
        />
      </>
    );
  if ('date' in step) {
    const { timezone, order } = step.date;
    return (
      <>
        <span>time in</span>
        <input
          aria-label="Timezone of its clock"
          list="mp-zones"
          maxLength={64}
          spellCheck={false}
          value={timezone}
          onChange={(event) => onChange({ date: { ...step.date, timezone: event.target.value.trim() } })}
        />
        <datalist id="mp-zones">
          {Intl.supportedValuesOf('timeZone').map((zone) => (
            <option key={zone} value={zone} />
          ))}
        </datalist>
        <select
          aria-label="Order of its day, month and year"
          value={order === undefined || order === 'ymd' ? '' : order}
          onChange={(event) => {
            const next = event.target.value as '' | 'dmy' | 'mdy';
            onChange({ date: { timezone, ...(next === '' ? {} : { order: next }) } });
          }}
        >
          {Object.entries(orderWords).map(([name, words]) => (
            <option key={name} value={name}>
              {words}
            </option>
          ))}
        </select>
      </>
    );
  }
  const { currency, digits } = step.minor_units;
  return (
    <>
      <span>minor units of</span>
      <PathInput
        aria-label="Where its currency lies"
        value={currency}
        onPath={(path) => onChange({ minor_units: { currency: path, digits } })}
      />
      <input
        aria-label="Currencies with other than two digits"
        spellCheck={false}
        key={JSON.stringify(digits)}
        defaultValue={digitsText(digits)}
        onBlur={(event) => onChange({ minor_units: { currency, digits: digitsOf(event.target.value) } })}
      />
    </>
  );
}

const digitsText = (digits: Readonly<Record<string, number>>) =>
  Object.entries(digits)
    .map(([currency, count]) => `${currency} ${count}`)
    .join(', ');

function digitsOf(text: string): Record<string, number> {
  return Object.fromEntries(
    [...text.toUpperCase().matchAll(/([A-Z]{3})\s*:?\s*([0-6])/g)].map(([, currency, count]) => [
      currency as string,
      Number(count),
    ]),
  );
}
