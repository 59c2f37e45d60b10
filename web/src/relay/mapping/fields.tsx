import { useState } from 'react';
import type { ItemRules, Mapping, Rules } from '../../../../contract/mapping.ts';
import type { MappingTrialAnswer } from '../../../../contract/relay_settings.ts';
import { Field, Select } from '../../controls/field.tsx';
import { Glyph, Icon } from '../../controls/icons.tsx';
import { captureReasonWords } from '../words.ts';
import {
  allFields,
  fieldGroups,
  fieldsAt,
  isItems,
  type RuleObject,
  rulesOf,
  setField,
  simpleSteps,
  stepOf,
  stepText,
  tagsOf,
  valueAt,
  writtenRules,
} from './model.ts';

/** The canonical conversion, field by field: where each comes from, and what it is for the request on the left. */
export function Fields({
  mapping,
  at,
  tried,
  open,
  onOpen,
  onChange,
  isWhole,
  mayChange,
}: {
  mapping: Mapping;
  at: number;
  tried: MappingTrialAnswer | undefined;
  open: string | undefined;
  onOpen: (field: string | undefined) => void;
  onChange: (mapping: Mapping) => void;
  /** Fields that nothing fills, too. */
  isWhole: boolean;
  mayChange: boolean;
}) {
  const fields = fieldsAt(mapping, at);
  const [custom, setCustom] = useState('');
  const conversion = tried?.conversions[0]?.conversion;
  const known = [...allFields, ...Object.keys(fields).filter((field) => field.startsWith('custom.'))];
  return (
    <>
      {fieldGroups.map((group) => {
        const shown = known.filter(
          (field) => group.of(field) && (isWhole || fields[field] !== undefined || field === open || isNeeded(field)),
        );
        if (shown.length === 0 && !(isWhole && group.name === 'Custom')) return null;
        return (
          <section key={group.name} aria-label={group.name}>
            <h3>
              {group.name}
              {group.name === 'Person' && (
                <span className="q">sealed for each conversion, hashed for each platform</span>
              )}
            </h3>
            {shown.map((field) => (
              <OneField
                key={field}
                field={field}
                rules={fields[field]}
                value={valueAt(conversion, field)}
                problem={tried?.problems.find((one) => one.field === field || one.field.startsWith(`${field}[`))}
                isOpen={field === open}
                mayChange={mayChange}
                onToggle={() => onOpen(field === open ? undefined : field)}
                onChange={(rules) => onChange(setField(mapping, at, field, rules))}
              />
            ))}
            {isWhole && group.name === 'Custom' && mayChange && (
              <form
                className="mp-custom"
                onSubmit={(event) => {
                  event.preventDefault();
                  const name = custom.trim();
                  if (name !== '') onOpen(`custom.${name}`);
                  if (name !== '') onChange(setField(mapping, at, `custom.${name}`, { default: '' }));
                  setCustom('');
                }}
              >
                <input
                  className="in sm"
                  aria-label="Name of a custom variable"
                  placeholder="name of a variable"
                  maxLength={64}
                  value={custom}
                  onChange={(event) => setCustom(event.target.value)}
                />
                <button type="submit" className="btn sm">
                  Add
                </button>
              </form>
            )}
          </section>
        );
      })}
    </>
  );
}

/** Without these nothing is a conversion. */
const isNeeded = (field: string) => field === 'event_name' || field === 'occurred_at' || field === 'value';

function OneField({
  field,
  rules,
  value,
  problem,
  isOpen,
  mayChange,
  onToggle,
  onChange,
}: {
  field: string;
  rules: Rules | ItemRules | undefined;
  value: unknown;
  problem: MappingTrialAnswer['problems'][number] | undefined;
  isOpen: boolean;
  mayChange: boolean;
  onToggle: () => void;
  onChange: (rules: Rules | ItemRules | undefined) => void;
}) {
  const name = field.includes('.') ? field.slice(field.indexOf('.') + 1) : field;
  return (
    <div className={isOpen ? 'mp-edit' : ''}>
      <button type="button" className="mp-row" aria-expanded={isOpen} onClick={onToggle}>
        <span className="mp-name">{name}</span>
        <span className="mp-from">{fromOf(rules)}</span>
        <span className={`mp-value ${problem === undefined ? '' : 'bad'}`}>
          {problem !== undefined && <Glyph state="bad" />}
          <span>{problem === undefined ? valueText(value) : problem.reason === 'missing' ? 'missing' : 'refused'}</span>
        </span>
      </button>
      {isOpen && (
        <div className="mp-open">
          {problem !== undefined && (
            <p className="st bad" role="status">
              <Glyph state="bad" />
              <span>
                {field} {captureReasonWords[problem.reason] ?? problem.reason.replaceAll('_', ' ')}
                {problem.macro === undefined ? '.' : `: {${problem.macro}}.`}
              </span>
            </p>
          )}
          {mayChange && problem?.reason === 'invalid' && (field === 'value' || field === 'cost') && !isItems(rules) && (
            <div className="rl-acts">
              <button type="button" className="btn sm" onClick={() => onChange(withDecimalComma(rules))}>
                Read it as a number with a decimal comma
              </button>
            </div>
          )}
          {!mayChange ? (
            <p className="q2">Your role does not include changing mappings.</p>
          ) : field === 'items' ? (
            <ItemsEditor rules={isItems(rules) ? rules : undefined} onChange={onChange} />
          ) : (
            <RulesEditor field={field} rules={isItems(rules) ? undefined : rules} onChange={onChange} />
          )}
        </div>
      )}
    </div>
  );
}

/** What shops in many countries write, and no platform takes. */
function withDecimalComma(rules: Rules | undefined): Rules | undefined {
  const [first = {}, ...rest] = rulesOf(rules);
  return writtenRules([{ ...first, apply: [stepOf('decimal comma'), ...(first.apply ?? [])] }, ...rest]);
}

function fromOf(rules: Rules | ItemRules | undefined) {
  if (rules === undefined) return <span className="q">not mapped</span>;
  if (isItems(rules))
    return (
      <>
        <code className="mp-pt">{rules.each}</code>
        <span className="tag">{Object.keys(rules.fields).join(', ')}</span>
      </>
    );
  const list = rulesOf(rules);
  const [rule] = list;
  if (rule === undefined) return <span className="q">not mapped</span>;
  const source = rule.path ?? rule.template;
  return (
    <>
      {source === undefined ? (
        <span className="mp-lit">{String(rule.default)}</span>
      ) : (
        <code className="mp-pt">{source}</code>
      )}
      {tagsOf(rule).map((tag) => (
        <span className="tag" key={tag}>
          {tag}
        </span>
      ))}
      {list.length > 1 && <span className="tag">or {list.length - 1} more</span>}
    </>
  );
}

function valueText(value: unknown): string {
  if (value === undefined) return '–';
  if (Array.isArray(value)) return typeof value[0] === 'object' ? `${value.length} items` : value.join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Where a field comes from: one rule, or several of which the first that gives something counts. */
function RulesEditor({
  field,
  rules,
  onChange,
}: {
  field: string;
  rules: Rules | undefined;
  onChange: (rules: Rules | undefined) => void;
}) {
  const known = rulesOf(rules);
  // An empty rule is written down once there is something in it: what is edited is kept beside what is saved.
  const list: RuleObject[] = known.length === 0 ? [{}] : known;
  const [extra, setExtra] = useState(false);
  const shown = extra ? [...list, {}] : list;
  const set = (at: number, rule: RuleObject) => {
    if (at >= list.length) setExtra(false);
    onChange(writtenRules(shown.map((one, place) => (place === at ? rule : one))));
  };
  return (
    <>
      {shown.map((rule, at) => (
        <div className="mp-rule" key={at}>
          {at > 0 && <p className="mp-or">or else</p>}
          <RuleEditor field={field} rule={rule} onChange={(next) => set(at, next)} />
        </div>
      ))}
      <div className="rl-acts">
        <button type="button" className="btn quiet sm" onClick={() => setExtra(true)}>
          <Icon name="plus" />
          Or else
        </button>
        {rules !== undefined && (
          <button type="button" className="btn quiet sm" onClick={() => onChange(undefined)}>
            Do not map
          </button>
        )}
      </div>
    </>
  );
}

function RuleEditor({
  field,
  rule,
  onChange,
}: {
  field: string;
  rule: RuleObject;
  onChange: (rule: RuleObject) => void;
}) {
  const apply = rule.apply ?? [];
  const isTemplate = rule.template !== undefined;
  const text = rule.template ?? rule.path ?? '';
  const setText = (next: string) => {
    const { path: _path, template: _template, ...rest } = rule;
    if (next === '') onChange(rest);
    else onChange(next.includes('{{') ? { ...rest, template: next } : { ...rest, path: next });
  };
  return (
    <>
      <div className="rl-two">
        <Field label={isTemplate ? 'Put together from' : 'Take from'}>
          {(props) => (
            <input
              {...props}
              className="in mono"
              name="mapped-path"
              autoCapitalize="off"
              spellCheck={false}
              placeholder="click a value, or write a path"
              value={text}
              onChange={(event) => setText(event.target.value)}
            />
          )}
        </Field>
        <Field label={text === '' ? 'Always' : 'If there is nothing'}>
          {(props) => (
            <input
              {...props}
              className="in"
              placeholder={text === '' ? 'a fixed value' : 'leave it out'}
              value={rule.default === undefined ? '' : String(rule.default)}
              onChange={(event) => {
                const { default: _, ...rest } = rule;
                onChange(event.target.value === '' ? rest : { ...rest, default: event.target.value });
              }}
            />
          )}
        </Field>
      </div>
      <div className="mp-chain">
        {apply.map((step, at) => (
          <button
            type="button"
            className="tag mp-step"
            key={at}
            aria-label={`Take the step “${stepText(step)}” away`}
            onClick={() => onChange({ ...rule, apply: apply.filter((_, place) => place !== at) })}
          >
            {stepText(step)}
            <Icon name="close" />
          </button>
        ))}
        <span className="pick">
          <select
            aria-label={`A further step for ${field}`}
            value=""
            onChange={(event) => onChange({ ...rule, apply: [...apply, stepOf(event.target.value)] })}
          >
            <option value="">Then…</option>
            {simpleSteps.map(({ name, words }) => (
              <option key={name} value={name}>
                {words}
              </option>
            ))}
          </select>
        </span>
      </div>
      {(rule.when !== undefined || rule.lookup !== undefined) && (
        <p className="help">Its condition or table is kept; both are changed under JSON.</p>
      )}
    </>
  );
}

const itemParts = ['id', 'quantity', 'price'] as const;

function ItemsEditor({
  rules,
  onChange,
}: {
  rules: ItemRules | undefined;
  onChange: (rules: ItemRules | undefined) => void;
}) {
  const each = rules?.each ?? '';
  const pathOf = (part: (typeof itemParts)[number]) => rulesOf(rules?.fields[part])[0]?.path ?? '';
  const set = (next: { each?: string } & Partial<Record<(typeof itemParts)[number], string>>) => {
    const fields: Record<string, Rules> = { ...(rules?.fields ?? {}) } as Record<string, Rules>;
    for (const part of itemParts) {
      const path = next[part];
      if (path === undefined) continue;
      const [old = {}] = rulesOf(fields[part]);
      const written = writtenRules([{ ...old, path }]);
      if (written === undefined) delete fields[part];
      else fields[part] = written;
    }
    const list = next.each ?? each;
    if (list === '' && Object.keys(fields).length === 0) onChange(undefined);
    else onChange({ each: list, fields: { id: fields.id ?? '', ...fields } } as ItemRules);
  };
  return (
    <>
      <Field label="The list" help="Such as line_items[*]. Clicking a value of one item on the left fills this, too.">
        {(props) => (
          <input
            {...props}
            className="in mono"
            name="mapped-path"
            spellCheck={false}
            value={each}
            onChange={(event) => set({ each: event.target.value })}
          />
        )}
      </Field>
      <div className="rl-three">
        {itemParts.map((part) => (
          <Field key={part} label={part === 'id' ? 'Its id' : `Its ${part}`} optional={part !== 'id'}>
            {(props) => (
              <input
                {...props}
                className="in mono"
                name={`mapped-${part}`}
                spellCheck={false}
                value={pathOf(part)}
                onChange={(event) => set({ [part]: event.target.value })}
              />
            )}
          </Field>
        ))}
      </div>
      {rules !== undefined && (
        <Select aria-label="Items" value="" onChange={() => onChange(undefined)}>
          <option value="">Mapped</option>
          <option value="none">Do not map</option>
        </Select>
      )}
    </>
  );
}
