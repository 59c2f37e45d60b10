import { type RelayPeriod, relayPeriods } from '../../../../contract/relay_asked.ts';
import { periodWords } from './words.tsx';

/** Days of the organisation's zone; in the address, so that it can be shared. */
export function PeriodChoice({ value, onChoose }: { value: RelayPeriod; onChoose: (period: RelayPeriod) => void }) {
  return (
    <fieldset className="seg re-period" aria-label="Period">
      {relayPeriods.map((period) => (
        <button key={period} type="button" aria-pressed={value === period} onClick={() => onChoose(period)}>
          {periodWords[period]}
        </button>
      ))}
    </fieldset>
  );
}

export function readPeriod(search: string): RelayPeriod {
  const given = new URLSearchParams(search).get('period');
  return relayPeriods.find((one) => one === given) ?? '7d';
}
