import type { ReactNode } from 'react';
import { useEffect, useState } from 'react';
import { Select } from '../controls/field.tsx';
import { Icon } from '../controls/icons.tsx';

/** The parts of a row of filters over a log, whose state is in the address. */

/** Words to look for: asked for by Enter, and set anew when the address changes. */
export function SearchWords({
  label,
  given,
  onSearch,
}: {
  label: string;
  given: string;
  onSearch: (words: string) => void;
}) {
  const [words, setWords] = useState(given);
  useEffect(() => setWords(given), [given]);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onSearch(words.trim());
      }}
    >
      <span className="in">
        <Icon name="search" />
        <input
          type="search"
          aria-label={label}
          placeholder={label}
          maxLength={120}
          value={words}
          onChange={(event) => setWords(event.target.value)}
        />
      </span>
    </form>
  );
}

/** One of a few values, or all. */
export function Choice({
  label,
  all,
  options,
  value,
  onChoose,
}: {
  label: string;
  all: string;
  options: readonly (readonly [value: string, words: string])[];
  value: string | undefined;
  onChoose: (value: string) => void;
}) {
  return (
    <Select aria-label={label} value={value ?? ''} onChange={(event) => onChoose(event.target.value)}>
      <option value="">{all}</option>
      {options.map(([one, words]) => (
        <option key={one} value={one}>
          {words}
        </option>
      ))}
    </Select>
  );
}

export function DayChoice({
  label,
  value,
  min,
  max,
  onChoose,
}: {
  /** What stands before it; hidden words where what is around it says enough. */
  label: ReactNode;
  value: string | undefined;
  min?: string | undefined;
  max?: string | undefined;
  onChoose: (day: string) => void;
}) {
  return (
    <label className="au-day">
      {label}
      <input type="date" value={value ?? ''} min={min} max={max} onChange={(event) => onChoose(event.target.value)} />
    </label>
  );
}
