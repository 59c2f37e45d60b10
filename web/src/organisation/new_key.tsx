import type { FormEvent } from 'react';
import { useRef, useState } from 'react';
import { Field, FormError, Select } from '../controls/field.tsx';
import type { CreatedApiKey, DeskError } from '../desk/api.ts';
import { api, asDeskError } from '../desk/api.ts';
import { type Organisation, useSession } from '../desk/session.tsx';
import { addDays, type Day } from '../period/period.ts';
import { Toggle } from '../settings/toggle.tsx';
import { type Scope, scopeWords } from './scopes.ts';

const scopes = Object.keys(scopeWords) as Scope[];
const lives = [
  { value: '', label: 'Never' },
  { value: '30', label: 'In 30 days' },
  { value: '90', label: 'In 90 days' },
  { value: '365', label: 'In a year' },
  { value: 'day', label: 'On a day' },
] as const;
/** More sites than these are searched rather than read. */
const searchFrom = 12;

type Problems = { [field in 'name' | 'sites' | 'day']?: string | undefined };

export function NewKeyForm({
  organisation,
  today,
  onMade,
}: {
  organisation: Organisation;
  today: Day;
  onMade: (key: CreatedApiKey) => void;
}) {
  const [name, setName] = useState('');
  const [chosen, setChosen] = useState<Scope[]>(['stats:read']);
  // Who sees the sites of their teams only cannot make a key for all.
  const [isLimited, setLimited] = useState(organisation.team_sites_only);
  const [siteIds, setSiteIds] = useState<number[]>([]);
  const [life, setLife] = useState<(typeof lives)[number]['value']>('');
  const [day, setDay] = useState('');
  const [problems, setProblems] = useState<Problems>({});
  const [refusal, setRefusal] = useState<DeskError>();
  const form = useRef<HTMLFormElement>(null);

  const endDay = life === 'day' ? day : life === '' ? undefined : addDays(today, Number(life));
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setRefusal(undefined);
    const found: Problems = {
      ...(name.trim() === '' && { name: 'A name says later what the key is for, such as “Monthly report”.' }),
      ...(isLimited && siteIds.length === 0 && { sites: 'Choose at least one site, or give the key all of them.' }),
      ...(endDay !== undefined && !(endDay > today) && { day: 'Choose a day to come.' }),
    };
    setProblems(found);
    if (found.name !== undefined) form.current?.querySelector<HTMLInputElement>('input')?.focus();
    if (Object.keys(found).length > 0 || chosen.length === 0) return;
    try {
      onMade(
        await api.createKey(organisation.id, {
          name: name.trim(),
          scopes: chosen,
          ...(isLimited && { site_ids: siteIds }),
          ...(endDay !== undefined && { expires_at: `${endDay}T23:59:59Z` }),
        }),
      );
      setName('');
    } catch (error) {
      setRefusal(asDeskError(error));
    }
  };

  return (
    <section>
      <h2>New key</h2>
      <form className="form" ref={form} onSubmit={submit} noValidate>
        <Field label="Name" error={problems.name}>
          {(props) => (
            <input
              {...props}
              className="in"
              value={name}
              maxLength={120}
              onChange={(event) => {
                setName(event.target.value);
                setProblems({ ...problems, name: undefined });
              }}
            />
          )}
        </Field>
        <fieldset>
          <legend>
            <b>May</b>
          </legend>
          <div className="scopes">
            {scopes.map((scope) => (
              <Toggle
                key={scope}
                label={scopeWords[scope]}
                help={<code className="ref">{scope}</code>}
                checked={chosen.includes(scope)}
                onChange={(on) => setChosen(on ? [...chosen, scope] : chosen.filter((one) => one !== scope))}
              />
            ))}
          </div>
        </fieldset>
        {chosen.length === 0 && <FormError message="A key that may do nothing is no use: choose at least one." />}
        <fieldset>
          <legend>
            <b>Sites</b>
          </legend>
          <div className="scopes">
            {!organisation.team_sites_only && (
              <Toggle
                label="Only some sites"
                help={
                  isLimited
                    ? 'Every other site looks to the key as if it were not there.'
                    : 'It reaches all, later ones too.'
                }
                checked={isLimited}
                onChange={setLimited}
              />
            )}
            {isLimited && (
              <SiteChoice
                organisation={organisation}
                chosen={siteIds}
                onChange={(ids) => {
                  setSiteIds(ids);
                  setProblems({ ...problems, sites: undefined });
                }}
              />
            )}
          </div>
          <FormError message={problems.sites} />
        </fieldset>
        <Field label="Ends" help="At the end of that day, UTC. A program with an ended key is told so.">
          {(props) => (
            <Select {...props} value={life} onChange={(event) => setLife(event.target.value as typeof life)}>
              {lives.map(({ value, label }) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </Select>
          )}
        </Field>
        {life === 'day' && (
          <Field label="Day" error={problems.day}>
            {(props) => (
              <input
                {...props}
                className="in"
                type="date"
                min={addDays(today, 1)}
                value={day}
                onChange={(event) => {
                  setDay(event.target.value);
                  setProblems({ ...problems, day: undefined });
                }}
              />
            )}
          </Field>
        )}
        <FormError message={refusal?.message} reference={refusal?.reference} />
        <div className="go">
          <button type="submit" className="btn main-act">
            Create key
          </button>
        </div>
      </form>
    </section>
  );
}

function SiteChoice({
  organisation,
  chosen,
  onChange,
}: {
  organisation: Organisation;
  chosen: readonly number[];
  onChange: (ids: number[]) => void;
}) {
  const [search, setSearch] = useState('');
  const sites = useSession().sites.filter((site) => site.organisation_id === organisation.id);
  const shown = sites.filter((site) => site.domain.includes(search.trim().toLowerCase()));
  return (
    <div className="field">
      {sites.length > searchFrom && (
        <input
          className="in"
          type="search"
          aria-label="Search sites"
          placeholder="Search sites"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
      )}
      <div className="scopes">
        {shown.map((site) => (
          <Toggle
            key={site.id}
            label={site.domain}
            checked={chosen.includes(site.id)}
            onChange={(on) => onChange(on ? [...chosen, site.id] : chosen.filter((id) => id !== site.id))}
          />
        ))}
      </div>
    </div>
  );
}
