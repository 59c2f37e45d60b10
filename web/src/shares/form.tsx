import type { FormEvent } from 'react';
import { useEffect, useRef, useState } from 'react';
import type { MadeShare, Share, ShareChange, ShareKind, SharePanel, SharePeriod } from '../../../contract/shares.ts';
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

/**
 * A new share, or a change of one: the panels that are ticked are all that it shows.
 * @param share the one that is changed; its link stays. None: a new one
 */
export function ShareForm({
  site,
  share,
  onMade,
  onChanged,
  onCancel,
}: {
  site: Site;
  share?: Share;
  onMade: (made: MadeShare) => void;
  onChanged: (share: Share) => void;
  onCancel: () => void;
}) {
  const [kind, setKind] = useState<ShareKind>(share?.kind ?? 'public');
  const [name, setName] = useState(share?.name ?? '');
  const [chosen, setChosen] = useState<readonly SharePanel[]>(share?.panels ?? firstPanels);
  const [offered, setOffered] = useState<readonly SharePeriod[]>(
    share === undefined ? firstPeriods : periods.filter((period) => share.periods.includes(period)),
  );
  const [first, setFirst] = useState<SharePeriod>(share?.periods[0] ?? '28d');
  const [lastDay, setLastDay] = useState(share?.expires_on ?? '');
  const [password, setPassword] = useState('');
  const [hosts, setHosts] = useState(share?.hosts.join(' ') ?? '');
  const [problems, setProblems] = useState<Problems>({});
  const [refusal, setRefusal] = useState<DeskError>();
  const [saving, setSaving] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const isChange = share !== undefined;
  useEffect(() => {
    // Below the list on a narrow screen: whoever asked to change something is brought there.
    if (isChange) form.current?.querySelector<HTMLElement>('[data-field="name"] input')?.focus();
  }, [isChange]);

  const shown = panelsOf(kind).filter((panel) => chosen.includes(panel));
  const opened = offered.includes(first) ? first : offered[0];
  // The first of the list is what the link opens with.
  const inOrder = [...offered].sort((a, b) => Number(b === opened) - Number(a === opened));
  const hostList = hosts.split(/[\s,]+/).filter((host) => host !== '');
  const today = localTime(now(), site.timezone).day;
  const hasPassword = share?.kind === 'password';

  const missing = (): Problems => ({
    ...(name.trim() === ''
      ? { name: 'A name is needed. Viewers see it beside the domain, such as “For the board”.' }
      : {}),
    ...(shown.length === 0 ? { panels: 'Choose at least one panel.' } : {}),
    ...(offered.length === 0 ? { periods: 'Choose at least one period.' } : {}),
    ...(kind === 'password' && password.length < passwordCharsMin && !(hasPassword && password === '')
      ? { password: `At least ${passwordCharsMin} characters are needed.` }
      : {}),
    ...(kind === 'widget' && hostList.length === 0
      ? { hosts: `The hosts whose pages may show it are needed, such as www.${site.domain}.` }
      : {}),
    ...(lastDay !== '' && lastDay < today && lastDay !== share?.expires_on
      ? { expires_on: 'This day is over. Choose today or a later one.' }
      : {}),
  });
  /** What differs, and nothing else: the trail names the members that were changed. */
  const changesOf = (before: Share): ShareChange => ({
    ...(name.trim() === before.name ? {} : { name: name.trim() }),
    ...(shown.join() === before.panels.join() ? {} : { panels: [...shown] }),
    ...(inOrder.join() === before.periods.join() ? {} : { periods: inOrder }),
    ...(lastDay === (before.expires_on ?? '') ? {} : { expires_on: lastDay === '' ? null : lastDay }),
    ...(kind === 'password' && password !== '' ? { password } : {}),
    ...(kind === 'public' && hasPassword ? { password: null } : {}),
    ...(kind === 'widget' && hostList.join() !== before.hosts.join() ? { hosts: hostList } : {}),
  });
  const save = async (): Promise<void> => {
    if (share !== undefined) {
      const changes = changesOf(share);
      onChanged(Object.keys(changes).length === 0 ? share : await api.changeShare(site.domain, share.id, changes));
      return;
    }
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
  };
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
      await save();
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
    <section className="panel" aria-label={isChange ? 'Change the share' : 'New share'}>
      <header>
        <h2 dir="auto">{isChange ? `Change “${share.name}”` : 'New share'}</h2>
      </header>
      <form className="form shr-form" ref={form} onSubmit={submit} noValidate>
        {share?.kind !== 'widget' && (
          <Field label="Kind" help={isChange ? kindChange(share, kind) : kindWords[kind].means}>
            {(props) => (
              <Select {...props} value={kind} onChange={(event) => setKind(event.target.value as ShareKind)}>
                {kinds
                  .filter((one) => !isChange || one !== 'widget')
                  .map((one) => (
                    <option key={one} value={one}>
                      {kindWords[one].label}
                    </option>
                  ))}
              </Select>
            )}
          </Field>
        )}
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
              label={hasPassword ? 'New password' : 'Password'}
              optional={hasPassword}
              error={errorOf('password')}
              help={
                hasPassword
                  ? 'Without one the password stays. A new one ends at once what the old one opened.'
                  : 'Tell it to your viewers by another way than the link.'
              }
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
            {isChange ? (saving ? 'Saving…' : 'Save the changes') : saving ? 'Making…' : 'Make the share'}
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
          {isChange && (
            <button type="button" className="btn quiet" onClick={onCancel}>
              Cancel
            </button>
          )}
        </div>
      </form>
    </section>
  );
}

/** What becomes of those who have the link. */
function kindChange(share: Share, kind: ShareKind): string {
  if (kind === share.kind) return kindWords[kind].means;
  return kind === 'public'
    ? 'The link stays, and whoever has it sees the page without a password.'
    : 'The link stays, and whoever opens it is asked for the password.';
}
