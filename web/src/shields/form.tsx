import type { FormEvent } from 'react';
import { useEffect, useRef, useState } from 'react';
import type { ShieldKind } from '../../../contract/shields.ts';
import { navigate, useAddress } from '../address/navigate.tsx';
import { Field, FormError, keepFocus, Select } from '../controls/field.tsx';
import { Glyph } from '../controls/icons.tsx';
import { resting } from '../controls/resting.ts';
import type { DeskError, Site } from '../desk/api.ts';
import { api, asDeskError } from '../desk/api.ts';
import { exactCount } from '../numbers/format.ts';
import {
  countries,
  countryCode,
  isPreviewed,
  kinds,
  noteCharsMax,
  shownValue,
  valueCharsMax,
  wordsOf,
} from './kinds.ts';
import { Preview, usePreview } from './preview.tsx';

/**
 * A new rule, with what it would have dropped before it is added. Kind and value are in the address, so that a link
 * can bring a rule along; an address never is.
 */
export function ShieldForm({
  site,
  houseRate,
  onAdded,
}: {
  site: Site;
  houseRate: number | null;
  onAdded: () => void;
}) {
  const { pathname, search } = useAddress();
  const asked = new URLSearchParams(search);
  const words = wordsOf((asked.get('add') ?? 'path') as ShieldKind);
  const { kind } = words;
  const [address, setAddress] = useState('');
  const value = kind === 'address' ? address : (asked.get('value') ?? '');
  const [note, setNote] = useState('');
  const [confirm, setConfirm] = useState('');
  const [problem, setProblem] = useState<string>();
  const [refusal, setRefusal] = useState<DeskError>();
  const [added, setAdded] = useState<string>();
  const [saving, setSaving] = useState(false);
  const valueBox = useRef<HTMLInputElement>(null);
  const countryBox = useRef<HTMLSelectElement>(null);

  // What a country is called is what people type; what is stored is its code.
  const sent = kind === 'country' ? (countryCode(value) ?? '') : value.trim();
  const preview = usePreview(site.domain, isPreviewed(kind) ? { kind, value: sent } : undefined);
  // With the domain as its word the desk looks nothing up, so a rule can be added while the warehouse is away.
  const unseen = preview.state === 'failed' && preview.wrong === undefined;
  const mustConfirm = unseen || (preview.state === 'here' && preview.answer.confirm) || refusal?.field === 'confirm';

  const change = (nextKind: ShieldKind, nextValue: string) => {
    const query = new URLSearchParams({
      ...(nextKind === 'path' ? {} : { add: nextKind }),
      ...(nextKind === 'address' || nextValue === '' ? {} : { value: nextValue }),
    }).toString();
    navigate(query === '' ? pathname : `${pathname}?${query}`, { replace: true });
    setAddress(nextKind === 'address' ? nextValue : '');
    setProblem(undefined);
    setRefusal(undefined);
    setAdded(undefined);
    setConfirm('');
  };
  // A rule that was brought along by a link is another rule.
  useEffect(() => setConfirm(''), [kind, value]);

  const missing = () => {
    if (kind === 'country' && value.trim() !== '' && sent === '')
      return `There is no country “${value.trim()}”. Choose one of the list.`;
    if (sent === '')
      return kind === 'country' ? 'Choose a country.' : `${words.field} is needed, such as ${words.example}.`;
    return undefined;
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (saving) return;
    const wrong = missing();
    setProblem(wrong);
    setRefusal(undefined);
    if (wrong !== undefined) {
      (kind === 'country' ? countryBox : valueBox).current?.focus();
      return;
    }
    setSaving(true);
    try {
      const made = await api.addShield(site.domain, {
        kind,
        value: sent,
        ...(note.trim() === '' ? {} : { note: note.trim() }),
        ...(mustConfirm ? { confirm: confirm.trim() } : {}),
      });
      change(kind, '');
      setNote('');
      setAdded(shownValue(made.kind, made.value) ?? made.note);
      onAdded();
    } catch (error) {
      setRefusal(asDeskError(error));
    } finally {
      setSaving(false);
    }
  };
  const errorOf = (field: string) => (refusal?.field === field ? refusal.message : undefined);
  const plainRefusal = refusal !== undefined && !['value', 'note', 'confirm'].includes(refusal.field ?? '');

  return (
    <section className="panel" aria-label="Add a rule">
      <header>
        <h2>Add a rule</h2>
      </header>
      <form className="form sh-form" onSubmit={submit} noValidate>
        <Field label="What it does">
          {(props) => (
            <Select {...props} value={kind} onChange={(event) => change(event.target.value as ShieldKind, '')}>
              {kinds.map((one) => (
                <option key={one.kind} value={one.kind}>
                  {one.choice}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field
          label={words.field}
          error={problem ?? errorOf('value') ?? (preview.state === 'failed' ? preview.wrong : undefined)}
          help={
            kind === 'rate' && houseRate !== null
              ? `${words.help} The operator gives each site ${exactCount(houseRate)} at most.`
              : words.help
          }
        >
          {(props) =>
            kind === 'country' ? (
              <Select {...props} ref={countryBox} value={sent} onChange={(event) => change(kind, event.target.value)}>
                <option value="">Choose a country</option>
                {countries().map(({ code, name }) => (
                  <option key={code} value={code}>
                    {name}
                  </option>
                ))}
              </Select>
            ) : (
              <input
                {...props}
                ref={valueBox}
                className="in"
                value={value}
                maxLength={valueCharsMax}
                spellCheck={false}
                autoComplete="off"
                autoCapitalize="off"
                inputMode={kind === 'rate' ? 'numeric' : 'text'}
                placeholder={words.example}
                onChange={(event) => change(kind, event.target.value)}
              />
            )
          }
        </Field>
        <Field
          label={kind === 'address' ? 'Name' : 'Note'}
          optional={kind !== 'address'}
          error={errorOf('note')}
          help={kind === 'address' ? 'Such as Office. It is all that the list can show of one address.' : undefined}
        >
          {(props) => (
            <input
              {...props}
              className="in"
              value={note}
              maxLength={noteCharsMax}
              onChange={(event) => setNote(event.target.value)}
            />
          )}
        </Field>
        <Preview
          kind={kind}
          reading={preview}
          site={site}
          confirm={
            mustConfirm ? (
              <Field
                label={`Type ${site.domain} to add it all the same`}
                error={confirm.trim() === '' ? undefined : errorOf('confirm')}
                help={
                  unseen
                    ? 'Nothing can say now what this rule would drop, and what is dropped cannot be brought back.'
                    : kind === 'address'
                      ? 'This network is a large part of the internet. Nothing can say how many of your visitors come from it.'
                      : 'This rule drops nearly everything, and what is dropped cannot be brought back.'
                }
              >
                {(props) => (
                  <input
                    {...props}
                    className="in"
                    value={confirm}
                    spellCheck={false}
                    autoComplete="off"
                    autoCapitalize="off"
                    onChange={(event) => setConfirm(event.target.value)}
                  />
                )}
              </Field>
            ) : undefined
          }
        />
        {plainRefusal && <FormError message={refusal.message} reference={refusal.reference} />}
        <div className="go">
          <button
            type="submit"
            className={mustConfirm ? 'btn danger' : 'btn main-act'}
            disabled={!saving && mustConfirm && confirm.trim() !== site.domain}
            onMouseDown={keepFocus}
            {...resting(saving)}
          >
            {saving ? 'Adding…' : 'Add the rule'}
          </button>
          <span role="status">
            {added !== undefined && (
              <span className="st ok">
                <Glyph state="ok" />
                {added} holds from the next event on.
              </span>
            )}
          </span>
        </div>
      </form>
    </section>
  );
}
