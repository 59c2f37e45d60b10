import type { ReactNode } from 'react';
import { Field, Select } from '../controls/field.tsx';
import { CurrencyOptions, cleanDomain, RetentionOptions, TimezoneOptions } from './choices.tsx';

/** The fields of a site, as the first run, a new site and its settings show them. */
interface SiteField<Value> {
  value: Value;
  onChange: (value: Value) => void;
  error?: string | undefined;
  help?: ReactNode;
}

/** `onLeave` gets the domain as the desk would read it: without scheme, path and www. */
export function DomainField({
  label,
  value,
  error,
  onChange,
  onLeave,
}: SiteField<string> & { label: string; onLeave: (domain: string) => void }) {
  return (
    <Field label={label} error={error}>
      {(props) => (
        <input
          {...props}
          className="in"
          name="domain"
          inputMode="url"
          autoCapitalize="off"
          spellCheck={false}
          placeholder="shop.example"
          value={value}
          onChange={(event) => onChange(event.target.value)}
          onBlur={() => value !== '' && onLeave(cleanDomain(value))}
        />
      )}
    </Field>
  );
}

/** @param none what no zone means, where one need not be chosen */
export function TimezoneField({ value, error, help, none, onChange }: SiteField<string> & { none?: string }) {
  return (
    <Field label="Timezone" error={error} help={help}>
      {(props) => (
        <Select {...props} value={value} onChange={(event) => onChange(event.target.value)}>
          {none !== undefined && <option value="">{none}</option>}
          <TimezoneOptions chosen={none !== undefined && value === '' ? 'UTC' : value} />
        </Select>
      )}
    </Field>
  );
}

export function CurrencyField({ value, error, help, onChange }: SiteField<string>) {
  return (
    <Field label="Currency" error={error} help={help}>
      {(props) => (
        <Select {...props} value={value} onChange={(event) => onChange(event.target.value)}>
          <CurrencyOptions chosen={value} />
        </Select>
      )}
    </Field>
  );
}

/** In months. */
export function RetentionField({
  value,
  error,
  help = 'After that they are deleted; the daily counts stay.',
  onChange,
}: SiteField<number>) {
  return (
    <Field label="Raw events are kept" error={error} help={help}>
      {(props) => (
        <Select {...props} value={value} onChange={(event) => onChange(Number(event.target.value))}>
          <RetentionOptions chosen={value} />
        </Select>
      )}
    </Field>
  );
}
