import { useState } from 'react';
import type { ItemRules, Mapping, Rules } from '../../../../contract/mapping.ts';
import type { MappingTrialAnswer } from '../../../../contract/relay_settings.ts';
import { Glyph } from '../../controls/icons.tsx';
import { counted } from '../../numbers/format.ts';
import { fieldProblem } from '../words.ts';
import {
  allFields,
  fieldGroups,
  fieldsAt,
  isItems,
  rulesOf,
  setField,
  stepOf,
  tagsOf,
  valueAt,
  writtenRules,
} from './model.ts';
import { ItemsEditor, RulesEditor } from './rules.tsx';

/** The canonical conversion, field by field: where each comes from, and what it is for the request on the left. */
export function Fields({
  mapping,
  at,
  tried,
  open,
  onOpen,
  onChange,
  pathOf,
  isWhole,
  mayChange,
}: {
  mapping: Mapping;
  at: number;
  tried: MappingTrialAnswer | undefined;
  open: string | undefined;
  onOpen: (field: string | undefined) => void;
  onChange: (mapping: Mapping) => void;
  /** A path of the request as a rule of this case writes it. */
  pathOf: (path: string) => string;
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
                pathOf={pathOf}
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
  pathOf,
  onToggle,
  onChange,
}: {
  field: string;
  rules: Rules | ItemRules | undefined;
  value: unknown;
  problem: MappingTrialAnswer['problems'][number] | undefined;
  isOpen: boolean;
  mayChange: boolean;
  pathOf: (path: string) => string;
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
          <span>
            {problem === undefined
              ? valueText(value)
              : problem.reason === 'missing'
                ? rules === undefined
                  ? 'not mapped yet'
                  : 'missing'
                : 'refused'}
          </span>
        </span>
      </button>
      {isOpen && (
        <div className="mp-open">
          {problem !== undefined && (
            <p className="st bad" role="status">
              <Glyph state="bad" />
              <span>
                {field}{' '}
                {rules === undefined && problem.reason === 'missing'
                  ? 'is not mapped yet: click the value that it comes from, or write one that is always the same'
                  : fieldProblem(field, problem.reason)}
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
            <ItemsEditor rules={isItems(rules) ? rules : undefined} onChange={onChange} pathOf={pathOf} />
          ) : (
            <RulesEditor
              field={field}
              rules={isItems(rules) ? undefined : rules}
              value={valueText(value)}
              onChange={onChange}
              pathOf={pathOf}
            />
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
  if (Array.isArray(value)) return typeof value[0] === 'object' ? counted(value.length, 'item') : value.join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
