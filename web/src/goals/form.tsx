import type { FormEvent } from 'react';
import { useEffect, useId, useRef, useState } from 'react';
import { Field, FormError, keepFocus, Select } from '../controls/field.tsx';
import { resting } from '../controls/resting.ts';
import { drawn, useAnswers } from '../desk/answers.ts';
import type { DeskError, Goal, GoalPreview, GoalRule, NewGoal, Site } from '../desk/api.ts';
import { api, asDeskError } from '../desk/api.ts';
import { readerNames } from '../edge/reader.ts';
import { exactCount, percent, share } from '../numbers/format.ts';
import { rangeText } from '../period/words.ts';
import { Toggle } from '../settings/toggle.tsx';
import type { Seen } from './seen.tsx';
import { useSeen } from './seen.tsx';

const kindLabels: Record<GoalRule['kind'], string> = {
  page: 'A page is seen',
  event: 'An event happens',
  scroll: 'A page is read down to',
};
const kinds = Object.keys(kindLabels) as GoalRule['kind'][];

/** What is in the fields, as typed. */
interface Draft {
  kind: GoalRule['kind'];
  match: string;
  withProperty: boolean;
  property: string;
  value: string;
  depth: string;
  currency: string;
  name: string;
}

function draftOf(start: NewGoal): Draft {
  return {
    kind: start.kind,
    match: start.match,
    withProperty: start.property != null,
    property: start.property?.name ?? '',
    value: start.property?.value ?? '',
    depth: String(start.scroll_depth ?? 75),
    currency: start.currency ?? '',
    name: start.name ?? '',
  };
}

type Faults = Partial<Record<'match' | 'property' | 'value' | 'depth', string>>;

function faultsOf(draft: Draft): Faults {
  const faults: Faults = {};
  if (draft.match.trim() === '')
    faults.match =
      draft.kind === 'event'
        ? 'The name of the event is needed, such as Signup.'
        : 'A page is needed, such as /thanks or /blog**.';
  else if (draft.kind !== 'event' && !/^\s*[/*]/.test(draft.match))
    faults.match = 'A page begins with a slash, such as /thanks, or with **.';
  if (draft.kind === 'event' && draft.withProperty) {
    if (draft.property.trim() === '') faults.property = 'Name the property, such as plan.';
    if (draft.value.trim() === '') faults.value = 'Say the value that counts.';
  }
  const depth = Number(draft.depth);
  if (draft.kind === 'scroll' && !(Number.isInteger(depth) && depth >= 1 && depth <= 100))
    faults.depth = 'A whole number from 1 to 100.';
  return faults;
}

function ruleOf(draft: Draft): GoalRule {
  return {
    kind: draft.kind,
    match: draft.match.trim(),
    ...(draft.kind === 'event' && draft.withProperty
      ? { property: { name: draft.property.trim(), value: draft.value.trim() } }
      : {}),
    ...(draft.kind === 'scroll' ? { scroll_depth: Number(draft.depth) } : {}),
  };
}

/** Makes a goal, or changes one: what it counts, and how many would have reached it before anything is kept. */
export function GoalForm({
  site,
  start,
  goal,
  onDone,
  onCancel,
}: {
  site: Site;
  start: NewGoal;
  /** The goal that is changed; none: a new one. */
  goal?: Goal;
  onDone: (goal: Goal) => void;
  onCancel: () => void;
}) {
  const [draft, setDraft] = useState(() => draftOf(start));
  const [shown, setShown] = useState<Faults>({});
  const [refusal, setRefusal] = useState<DeskError>();
  const [busy, setBusy] = useState(false);
  const seen = useSeen(site);
  const form = useRef<HTMLFormElement>(null);
  const title = useId();
  const change = (part: Partial<Draft>) => {
    setDraft((before) => ({ ...before, ...part }));
    setShown({});
    setRefusal(undefined);
  };
  useEffect(() => {
    form.current?.querySelector<HTMLElement>('input')?.focus();
  }, []);
  const faults = faultsOf(draft);
  const sound = Object.keys(faults).length === 0;
  const preview = usePreview(site.domain, sound ? ruleOf(draft) : undefined);
  const refused = (field: string) => (refusal?.field?.split('.')[0] === field ? refusal.message : undefined);
  const placed = ['match', 'name', 'currency', 'scroll_depth'].some((field) => refused(field) !== undefined);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setShown(faults);
    setRefusal(undefined);
    if (!sound) {
      // The field that is wrong is drawn as such first.
      requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
      return;
    }
    setBusy(true);
    const body: NewGoal = {
      ...ruleOf(draft),
      ...(draft.name.trim() === '' ? {} : { name: draft.name.trim() }),
      ...(draft.kind === 'event' && draft.currency !== '' ? { currency: draft.currency } : {}),
    };
    try {
      onDone(
        await (goal === undefined ? api.createGoal(site.domain, body) : api.changeGoal(site.domain, goal.id, body)),
      );
    } catch (error) {
      setRefusal(asDeskError(error));
      setBusy(false);
    }
  };

  return (
    <section className="panel gl-form" aria-labelledby={title}>
      <header>
        <h2 id={title}>{goal === undefined ? 'New goal' : `Change “${goal.name}”`}</h2>
      </header>
      <form className="form" ref={form} onSubmit={submit} noValidate>
        <div className="gl-rule">
          <Field label="It is reached when">
            {(props) => (
              <Select
                {...props}
                value={draft.kind}
                onChange={(event) => {
                  const kind = kinds.find((one) => one === event.target.value) ?? 'page';
                  // A page is no name of an event; between the two that take pages it stays.
                  const keeps = (kind === 'event') === (draft.kind === 'event');
                  change({ kind, ...(keeps ? {} : { match: '' }) });
                }}
              >
                {kinds.map((kind) => (
                  <option key={kind} value={kind}>
                    {kindLabels[kind]}
                  </option>
                ))}
              </Select>
            )}
          </Field>
          {draft.kind === 'scroll' && (
            <Field label="Depth, %" error={shown.depth ?? refused('scroll_depth')}>
              {(props) => (
                <input
                  {...props}
                  className="in"
                  inputMode="numeric"
                  value={draft.depth}
                  onChange={(event) => change({ depth: event.target.value })}
                  onBlur={() => setShown(pick(faults, 'depth'))}
                />
              )}
            </Field>
          )}
          <MatchField
            draft={draft}
            seen={seen}
            error={shown.match ?? refused('match')}
            onChange={(match) => change({ match })}
            onLeave={() => draft.match !== '' && setShown(pick(faults, 'match'))}
          />
        </div>
        {draft.kind === 'event' && (
          <>
            <Toggle
              label="Only with a property"
              help="Count the event only when it carries one value, such as plan is pro."
              checked={draft.withProperty}
              onChange={(withProperty) => change({ withProperty })}
            />
            {draft.withProperty && (
              <PropertyFields
                site={site}
                draft={draft}
                faults={shown}
                refused={refused('property')}
                onChange={change}
              />
            )}
          </>
        )}
        <div className="pair">
          <Field label="Name" optional error={refused('name')} help="How it is called in reports.">
            {(props) => (
              <input
                {...props}
                className="in"
                value={draft.name}
                maxLength={120}
                onChange={(event) => change({ name: event.target.value })}
              />
            )}
          </Field>
          {draft.kind === 'event' && (
            <Field
              label="Revenue"
              error={refused('currency')}
              help="Summed in this currency alone; other amounts are never added to it."
            >
              {(props) => (
                <Select
                  {...props}
                  value={draft.currency}
                  onChange={(event) => change({ currency: event.target.value })}
                >
                  <option value="">It earns none</option>
                  {currenciesFrom(site.currency).map((code) => (
                    <option key={code} value={code}>
                      {currencyText(code)}
                    </option>
                  ))}
                </Select>
              )}
            </Field>
          )}
        </div>
        <p className="gl-preview" role="status">
          {!sound || preview === undefined ? (
            'Counts what is stored already, too.'
          ) : 'problem' in preview ? (
            preview.problem.message
          ) : (
            <PreviewText preview={preview} />
          )}
        </p>
        {refusal !== undefined && !placed && refused('property') === undefined && (
          <FormError message={refusal.message} reference={refusal.reference} />
        )}
        <div className="go">
          <button type="submit" className="btn main-act" onMouseDown={keepFocus} {...resting(busy)}>
            {goal === undefined ? 'Create goal' : 'Save goal'}
          </button>
          <button type="button" className="btn" onClick={onCancel}>
            Cancel
          </button>
        </div>
      </form>
    </section>
  );
}

const pick = (faults: Faults, field: keyof Faults): Faults =>
  faults[field] === undefined ? {} : { [field]: faults[field] };

function MatchField({
  draft,
  seen,
  error,
  onChange,
  onLeave,
}: {
  draft: Draft;
  seen: Seen;
  error: string | undefined;
  onChange: (match: string) => void;
  onLeave: () => void;
}) {
  const event = draft.kind === 'event';
  const list = useId();
  return (
    <Field
      label={event ? 'Event' : 'Page'}
      error={error}
      help={event ? 'As the site sends it, with the same capitals.' : '* stands for one part of the path, ** for any.'}
    >
      {(props) => (
        <>
          <input
            {...props}
            className="in"
            value={draft.match}
            list={list}
            spellCheck={false}
            autoCapitalize="off"
            autoComplete="off"
            placeholder={event ? 'Signup' : '/thanks'}
            onChange={(typed) => onChange(typed.target.value)}
            onBlur={onLeave}
          />
          <datalist id={list}>
            {(event ? seen.events : seen.pages).map(({ match }) => (
              <option key={match} value={match} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

/** The property and its value, offered from what the event carried lately. */
function PropertyFields({
  site,
  draft,
  faults,
  refused,
  onChange,
}: {
  site: Site;
  draft: Draft;
  faults: Faults;
  refused: string | undefined;
  onChange: (part: Partial<Draft>) => void;
}) {
  const [names, setNames] = useState<readonly string[]>([]);
  const [nameList, valueList] = [useId(), useId()];
  const event = draft.match.trim();
  useEffect(() => {
    if (event === '') return;
    let here = true;
    const timer = setTimeout(
      () =>
        api.properties(site.domain, event).then(
          (found) => here && setNames(found.map(({ name }) => name)),
          // Names can be typed all the same.
          () => {},
        ),
      typingMs,
    );
    return () => {
      here = false;
      clearTimeout(timer);
    };
  }, [site.domain, event]);
  const name = draft.property.trim();
  const { answers } = useAnswers(
    {
      values: {
        site_id: site.domain,
        metrics: ['visitors'],
        date_range: '30d',
        dimensions: [`event:props:${name}`],
        filters: [['is', 'event:name', [event]]],
        pagination: { limit: 30 },
      },
    },
    0,
    names.includes(name),
  );
  const values = (drawn(answers.values)?.results ?? []).flatMap(({ dimensions: [value] }) =>
    value == null || value === '(none)' ? [] : [value],
  );
  return (
    <div className="pair">
      <Field label="Property" error={faults.property ?? refused}>
        {(props) => (
          <>
            <input
              {...props}
              className="in"
              value={draft.property}
              list={nameList}
              maxLength={300}
              spellCheck={false}
              autoCapitalize="off"
              autoComplete="off"
              onChange={(typed) => onChange({ property: typed.target.value })}
            />
            <datalist id={nameList}>
              {names.map((one) => (
                <option key={one} value={one} />
              ))}
            </datalist>
          </>
        )}
      </Field>
      <Field label="Is" error={faults.value}>
        {(props) => (
          <>
            <input
              {...props}
              className="in"
              value={draft.value}
              list={valueList}
              maxLength={2_000}
              spellCheck={false}
              autoCapitalize="off"
              autoComplete="off"
              onChange={(typed) => onChange({ value: typed.target.value })}
            />
            <datalist id={valueList}>
              {values.map((one) => (
                <option key={one} value={one} />
              ))}
            </datalist>
          </>
        )}
      </Field>
    </div>
  );
}

/** The site's own currency first; then every other that the browser can name, which are those the desk takes. */
function currenciesFrom(own: string): string[] {
  return [own, ...Intl.supportedValuesOf('currency').filter((code) => code !== own)];
}

function currencyText(code: string): string {
  const name = readerNames('currency').of(code);
  return name === undefined || name === code ? code : `${code}, ${name}`;
}

const typingMs = 350;

/** What the rule would have counted; undefined while it is not known. */
function usePreview(site: string, rule: GoalRule | undefined): GoalPreview | { problem: DeskError } | undefined {
  const [found, setFound] = useState<{ key: string; preview: GoalPreview | { problem: DeskError } }>();
  const key = JSON.stringify(rule ?? null);
  useEffect(() => {
    const asked = JSON.parse(key) as GoalRule | null;
    if (asked === null) return;
    const stop = new AbortController();
    const timer = setTimeout(() => {
      api.previewGoal(site, asked, stop.signal).then(
        (preview) => setFound({ key, preview }),
        (error: unknown) => {
          if (!stop.signal.aborted) setFound({ key, preview: { problem: asDeskError(error) } });
        },
      );
    }, typingMs);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [site, key]);
  return found?.key === key ? found.preview : undefined;
}

function PreviewText({ preview: { days, visitors, of, times } }: { preview: GoalPreview }) {
  const range = rangeText({ from: days[0], to: days[1] }, days[1]);
  const part = share(visitors, of);
  if (of === 0) return <>Nobody was on the site, {range}: the goal begins to count with the first visit.</>;
  if (visitors === 0)
    return (
      <>
        <b>Nobody</b> of {exactCount(of)} visitors would have reached it, {range}.
      </>
    );
  return (
    <>
      <b>
        {exactCount(visitors)} of {exactCount(of)} visitors
      </b>{' '}
      would have reached it{times === null || times === visitors ? '' : `, ${exactCount(times)} times`}
      {part === null ? '' : ` (${percent(part)})`}, {range}.
    </>
  );
}
