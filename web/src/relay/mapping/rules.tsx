import type { ReactNode } from 'react';
import { useState } from 'react';
import type { ItemRules, Rules } from '../../../../contract/mapping.ts';
import { Field } from '../../controls/field.tsx';
import { Icon } from '../../controls/icons.tsx';
import { ConditionEditor } from './condition_editor.tsx';
import { useEdited } from './edited.ts';
import { type RuleObject, rulesOf, writtenRules } from './model.ts';
import { PathInput } from './path_input.tsx';
import { Steps } from './steps.tsx';
import { TableEditor } from './table_editor.tsx';
import { pathInItems } from './tree_rows.ts';

/** As `mappingLimits.rulesMax` says. */
const rulesMax = 10;

/** Where a field comes from: one rule, or several of which the first that gives something counts. */
export function RulesEditor({
  field,
  rules,
  value,
  pathOf,
  onChange,
}: {
  field: string;
  rules: Rules | undefined;
  /** What the field is for the request on the left, for whoever fills a table. */
  value?: string;
  /** A path of the request as a rule writes it. */
  pathOf: (path: string) => string;
  onChange: (rules: Rules | undefined) => void;
}) {
  // A rule is written down once there is something in it; until then it stands here alone.
  const [list, set] = useEdited<Rules | undefined, readonly RuleObject[]>(
    rules,
    {
      read: (given) => {
        const known = rulesOf(given);
        return known.length === 0 ? [{}] : known;
      },
      write: (edited) => writtenRules(edited),
    },
    onChange,
  );
  return (
    <>
      {list.map((rule, at) => (
        <div className="mp-rule" key={at}>
          {(at > 0 || list.length > 1) && (
            <div className="mp-or">
              <span>{at === 0 ? 'First' : 'Or else'}</span>
              {at > 0 && (
                <button
                  type="button"
                  className="btn quiet icon sm"
                  aria-label={`Look at source ${at + 1} earlier`}
                  onClick={() => set(list.toSpliced(at, 1).toSpliced(at - 1, 0, rule))}
                >
                  <Icon name="up" />
                </button>
              )}
              <button
                type="button"
                className="btn quiet icon sm"
                aria-label={`Take source ${at + 1} away`}
                onClick={() => set(list.toSpliced(at, 1))}
              >
                <Icon name="close" />
              </button>
            </div>
          )}
          <RuleEditor
            {...{ field, rule, pathOf }}
            value={at === 0 ? value : undefined}
            onChange={(next) => set(list.with(at, next))}
          >
            {at === list.length - 1 && rules !== undefined && (
              <>
                {list.length < rulesMax && (
                  <button type="button" className="btn quiet sm" onClick={() => set([...list, {}])}>
                    Or else…
                  </button>
                )}
                <button type="button" className="btn quiet sm" onClick={() => set([{}])}>
                  Do not map
                </button>
              </>
            )}
          </RuleEditor>
        </div>
      ))}
    </>
  );
}

function RuleEditor({
  field,
  rule,
  value,
  pathOf,
  onChange,
  children,
}: {
  field: string;
  rule: RuleObject;
  value: string | undefined;
  pathOf: (path: string) => string;
  onChange: (rule: RuleObject) => void;
  /** Further things to do, beside those of the rule. */
  children: ReactNode;
}) {
  const { path: _path, template: _template, ...rest } = rule;
  const isTemplate = rule.template !== undefined;
  const text = rule.template ?? rule.path ?? '';
  const setText = (next: string) => {
    if (next === '') onChange(rest);
    else onChange(next.includes('{{') ? { ...rest, template: next } : { ...rest, path: next });
  };
  return (
    <>
      <div className="rl-two">
        <Field
          label={isTemplate ? 'Put together from' : 'Take from'}
          help={isTemplate ? 'Paths in double braces. A click adds a value.' : undefined}
        >
          {(props) => (
            <PathInput
              {...props}
              name="mapped-path"
              value={text}
              onPath={setText}
              onPick={(picked) => setText(isTemplate ? `${text}{{${pathOf(picked)}}}` : pathOf(picked))}
            />
          )}
        </Field>
        <Field label={text === '' ? 'Always' : 'If there is nothing'}>
          {(props) => (
            <input
              {...props}
              className="in"
              maxLength={512}
              placeholder={text === '' ? 'a fixed value' : 'leave it out'}
              value={rule.default === undefined ? '' : String(rule.default)}
              onChange={(event) => {
                const { default: _, ...others } = rule;
                onChange(event.target.value === '' ? others : { ...others, default: event.target.value });
              }}
            />
          )}
        </Field>
      </div>
      {text !== '' && (
        <Steps field={field} steps={rule.apply ?? []} onChange={(apply) => onChange({ ...rule, apply })} />
      )}
      {rule.lookup !== undefined && (
        <TableEditor field={field} rule={{ ...rule, lookup: rule.lookup }} onChange={onChange} />
      )}
      {rule.when !== undefined && (
        <ConditionEditor
          label="Only where"
          condition={rule.when}
          pathOf={pathOf}
          onChange={(when) => {
            const { when: _, ...others } = rule;
            onChange(when === undefined ? others : { ...others, when });
          }}
        />
      )}
      <div className="mp-cond-acts">
        {text !== '' && !isTemplate && (
          <button type="button" className="btn quiet sm" onClick={() => setText(`{{${text}}}`)}>
            Put together
          </button>
        )}
        {text !== '' && rule.lookup === undefined && (
          <button
            type="button"
            className="btn quiet sm"
            title={value === undefined ? undefined : `It is ${value} here`}
            onClick={() => onChange({ ...rule, lookup: {} })}
          >
            Table
          </button>
        )}
        {rule.when === undefined && (
          <button
            type="button"
            className="btn quiet sm"
            onClick={() => onChange({ ...rule, when: { path: '', equals: '' } })}
          >
            Only where…
          </button>
        )}
        {children}
      </div>
    </>
  );
}

const itemParts = ['id', 'quantity', 'price'] as const;
type ItemPart = (typeof itemParts)[number];

/** Items: their list, and where in one of them its id, quantity and price lie. */
export function ItemsEditor({
  rules,
  pathOf,
  onChange,
}: {
  rules: ItemRules | undefined;
  pathOf: (path: string) => string;
  onChange: (rules: ItemRules | undefined) => void;
}) {
  const each = rules?.each ?? '';
  const fields = rules?.fields;
  const [open, setOpen] = useState<ItemPart>();
  const set = (list: string, part: ItemPart | undefined, next: Rules | undefined) => {
    const { id = '', ...others } = { ...fields };
    const made = { id, ...others } as Record<string, Rules>;
    if (part !== undefined) {
      if (next !== undefined) made[part] = next;
      else if (part === 'id') made.id = '';
      else delete made[part];
    }
    const isEmpty = list === '' && made.id === '' && Object.keys(made).length === 1;
    onChange(isEmpty ? undefined : ({ each: list, fields: made } as ItemRules));
  };
  /** A value of one item: its list, and the way in it. */
  const pick = (part: ItemPart, path: string) => {
    const found = pathInItems(pathOf(path));
    if (found === undefined) return;
    const [old = {}] = rulesOf(fields?.[part]);
    set(found.each, part, writtenRules([{ ...old, path: found.path }]));
  };
  return (
    <>
      <Field label="The list" help="Such as line_items[*]. A click on a value of one item fills this, too.">
        {(props) => (
          <PathInput
            {...props}
            value={each}
            onPath={(path) => set(path, undefined, undefined)}
            onPick={(path) => {
              const found = pathInItems(pathOf(path));
              if (found !== undefined) set(found.each, undefined, undefined);
            }}
          />
        )}
      </Field>
      <div className="rl-three">
        {itemParts.map((part) => {
          const [first = {}, ...more] = rulesOf(fields?.[part]);
          return (
            <Field key={part} label={part === 'id' ? 'Its id' : `Its ${part}`} optional={part !== 'id'}>
              {(props) => (
                <PathInput
                  {...props}
                  name={`mapped-${part}`}
                  placeholder=""
                  value={first.path ?? first.template ?? ''}
                  onPath={(path) => set(each, part, writtenRules([{ ...first, path }, ...more]))}
                  onPick={(path) => pick(part, path)}
                />
              )}
            </Field>
          );
        })}
      </div>
      {open !== undefined && (
        <div className="mp-part">
          <span className="mp-cond-label">{open === 'id' ? 'Its id' : `Its ${open}`}, in full</span>
          <RulesEditor
            key={open}
            field={open}
            rules={fields?.[open]}
            pathOf={(path) => pathInItems(pathOf(path))?.path ?? pathOf(path)}
            onChange={(next) => set(each, open, next)}
          />
        </div>
      )}
      <div className="mp-cond-acts">
        {rules !== undefined &&
          itemParts
            .filter((part) => fields?.[part] !== undefined && fields[part] !== '')
            .map((part) => (
              <button
                key={part}
                type="button"
                className="btn quiet sm"
                aria-pressed={open === part}
                onClick={() => setOpen(open === part ? undefined : part)}
              >
                Steps of its {part}
              </button>
            ))}
        {rules !== undefined && (
          <button type="button" className="btn quiet sm" onClick={() => onChange(undefined)}>
            Do not map
          </button>
        )}
      </div>
    </>
  );
}
