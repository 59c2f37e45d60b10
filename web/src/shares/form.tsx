import type { FormEvent } from 'react';
import { useRef, useState } from 'react';
import type { MadeShare, ShareKind, SharePanel, SharePeriod } from '../../../contract/shares.ts';
import { Field, FormError, keepFocus, PasswordInput, Select } from '../controls/field.tsx';
import { resting } from '../controls/resting.ts';
import type { DeskError, Site } from '../desk/api.ts';
import { api, asDeskError } from '../desk/api.ts';
import { now } from '../edge/browser.ts';
import { localTime } from '../period/period.ts';
import { Toggle } from '../settings/toggle.tsx';
import {
  kinds,
  kindWords,
  nameCharsMax,
  panelsOf,
  panelWords,
  passwordCharsMin,
  periods,
  periodWords,
  previewPath,
} from './words.ts';

const firstPanels: readonly SharePanel[] = ['totals', 'series', 'sources', 'pages', 'countries', 'devices'];
const firstPeriods: readonly SharePeriod[] = ['7d', '28d', '90d'];
type Problems = Partial<Record<'name' | 'panels' | 'periods' | 'password' | 'hosts' | 'expires_on', string>>;

/** A new share. What is chosen here is all that it will ever show. */
export function ShareForm({ site, onMade }: { site: Site; onMade: (made: MadeShare) => void }) {
  const [kind, setKind] = useState<ShareKind>('public');
  const [name, setName] = useState('');
  const [chosen, setChosen] = useState(firstPanels);
  const [offered, setOffered] = useState(firstPeriods);
  const [first, setFirst] = useState<SharePeriod>('28d');
  const [lastDay, setLastDay] = useState('');
  const [password, setPassword] = useState('');
  const [hosts, setHosts] = useState('');
  const [problems, setProblems] = useState<Problems>({});
  const [refusal, setRefusal] = useState<DeskError>();
  const [saving, setSaving] = useState(false);
  const form = useRef<HTMLFormElement>(null);

  const shown = panelsOf(kind).filter((panel) => chosen.includes(panel));
  const opened = offered.includes(first) ? first : offered[0];
  // The first of the list is what the link opens with.
  const inOrder = [...offered].sort((a, b) => Number(b === opened) - Number(a === opened));
  const hostList = hosts.split(/[\s,]+/).filter((host) => host !== '');
  const today = localTime(now(), site.timezone).day;

  const missing = (): Problems => ({
    ...(name.trim() === ''
      ? { name: 'A name is needed. Viewers see it beside the domain, such as “For the board”.' }
      : {}),
    ...(shown.length === 0 ? { panels: 'Choose at least one panel.' } : {}),
    ...(offered.length === 0 ? { periods: 'Choose at least one period.' } : {}),
    ...(kind === 'password' && password.length < passwordCharsMin
      ? { password: `At least ${passwordCharsMin} characters are needed.` }
      : {}),
    ...(kind === 'widget' && hostList.length === 0
      ? { hosts: `The hosts whose pages may show it are needed, such as www.${site.domain}.` }
      : {}),
    ...(lastDay !== '' && lastDay < today ? { expires_on: 'This day is over. Choose today or a later one.' } : {}),
  });
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (saving) return;
    const wrong = missing();
    setProblems(wrong);
    setRefusal(undefined);
    const [fault] = Object.keys(wrong);
    if (fault !== undefined) {
      form.current?.querySelector<HTMLElement>(`[data-field="${fault}"] :is(input, textarea)`)?.focus();
      return;
    }
    setSaving(true);
    try {
      const made = await api.addShare(site.domain, {
        ...{ kind, name: name.trim(), panels: [...shown], periods: inOrder },
        ...(lastDay === '' ? {} : { expires_on: lastDay }),
        ...(kind === 'password' ? { password } : {}),
        ...(kind === 'widget' ? { hosts: hostList } : {}),
      });
      setName('');
      setPassword('');
      setLastDay('');
      onMade(made);
    } catch (error) {
      setRefusal(asDeskError(error));
    } finally {
      setSaving(false);
    }
  };
  const errorOf = (field: keyof Problems) =>
    problems[field] ?? (refusal?.field?.split('.')[0] === field ? refusal.message : undefined);
  const isElsewhere = refusal !== undefined && errorOf(refusal.field?.split('.')[0] as keyof Problems) === undefined;

  return (
    <section className="panel" aria-label="New share">
      <header>
        <h2>New share</h2>
      </header>
      <form className="form shr-form" ref={form} onSubmit={submit} noValidate>
        <div data-field="kind">
          <Field label="Kind" help={kindWords[kind].means}>
            {(props) => (
              <Select {...props} value={kind} onChange={(event) => setKind(event.target.value as ShareKind)}>
                {kinds.map((one) => (
                  <option key={one} value={one}>
                    {kindWords[one].label}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        </div>
        <div data-field="name">
          <Field label="Name" error={errorOf('name')} help="Viewers see it beside the domain.">
            {(props) => (
              <input
                {...props}
                className="in"
                value={name}
                maxLength={nameCharsMax}
                autoComplete="off"
                onChange={(event) => setName(event.target.value)}
              />
            )}
          </Field>
        </div>
        {kind === 'password' && (
          <div data-field="password">
            <Field
              label="Password"
              error={errorOf('password')}
              help="Tell it to your viewers by another way than the link."
            >
              {(props) => (
                <PasswordInput
                  {...props}
                  value={password}
                  maxLength={200}
                  autoComplete="new-password"
                  onChange={(event) => setPassword(event.target.value)}
                />
              )}
            </Field>
          </div>
        )}
        {kind === 'widget' && (
          <div data-field="hosts">
            <Field
              label="Hosts of the pages that show it"
              error={errorOf('hosts')}
              help="As they stand in the address bar, one after another. *.shop.example is every host under it."
            >
              {(props) => (
                <input
                  {...props}
                  className="in"
                  value={hosts}
                  placeholder={`www.${site.domain}`}
                  spellCheck={false}
                  autoComplete="off"
                  autoCapitalize="off"
                  onChange={(event) => setHosts(event.target.value)}
                />
              )}
            </Field>
          </div>
        )}
        <fieldset data-field="panels">
          <legend>Panels</legend>
          <div className="shr-checks">
            {panelsOf(kind).map((panel) => (
              <Toggle
                key={panel}
                label={panelWords[panel]}
                checked={chosen.includes(panel)}
                onChange={(on) => setChosen(on ? [...chosen, panel] : chosen.filter((one) => one !== panel))}
              />
            ))}
          </div>
          <FormError message={errorOf('panels')} />
        </fieldset>
        <fieldset data-field="periods">
          <legend>Periods to choose from</legend>
          <div className="shr-checks">
            {periods.map((period) => (
              <Toggle
                key={period}
                label={periodWords[period]}
                checked={offered.includes(period)}
                onChange={(on) => setOffered(periods.filter((one) => (one === period ? on : offered.includes(one))))}
              />
            ))}
          </div>
          <FormError message={errorOf('periods')} />
        </fieldset>
        {offered.length > 1 && (
          <Field label="Opens with">
            {(props) => (
              <Select {...props} value={opened} onChange={(event) => setFirst(event.target.value as SharePeriod)}>
                {offered.map((period) => (
                  <option key={period} value={period}>
                    {periodWords[period]}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        )}
        <div data-field="expires_on">
          <Field
            label="Last day"
            optional
            error={errorOf('expires_on')}
            help={`In ${site.timezone}. Without one it opens until it is revoked.`}
          >
            {(props) => (
              <input
                {...props}
                className="in"
                type="date"
                min={today}
                value={lastDay}
                onChange={(event) => setLastDay(event.target.value)}
              />
            )}
          </Field>
        </div>
        {isElsewhere && <FormError message={refusal.message} reference={refusal.reference} />}
        <div className="go">
          <button type="submit" className="btn main-act" onMouseDown={keepFocus} {...resting(saving)}>
            {saving ? 'Making…' : 'Make the share'}
          </button>
          {shown.length > 0 && offered.length > 0 && (
            <a
              className="btn"
              href={previewPath(site.domain, { kind, panels: shown, periods: inOrder })}
              target="_blank"
              rel="noreferrer"
            >
              Preview
            </a>
          )}
        </div>
      </form>
    </section>
  );
}
