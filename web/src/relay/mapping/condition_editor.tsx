import { useId, useRef, useState } from 'react';
import type { Condition } from '../../../../contract/mapping.ts';
import { Icon } from '../../controls/icons.tsx';
import {
  type Comparison,
  comparisonWords,
  conditionOf,
  depthMax,
  type Edited,
  editedOf,
  emptyOne,
  type Group,
  groupWords,
  partsMax,
} from './condition_text.ts';
import { useEdited } from './edited.ts';
import { PathInput } from './path_input.tsx';

/**
 * A condition of one line, or of several in groups: each line says what is looked at and what it is to be. Lines and groups
 * are added and taken away by buttons, so that all of it is done with the mouse or the keyboard alone.
 */
export function ConditionEditor({
  label,
  condition,
  onChange,
  pathOf = (path) => path,
  mayBeNone = true,
}: {
  /** As a sentence begins: “Only where”. */
  label: string;
  condition: Condition | undefined;
  onChange: (condition: Condition | undefined) => void;
  /** A path of the request as this condition writes it. */
  pathOf?: (path: string) => string;
  /** Whether there may be no condition at all. */
  mayBeNone?: boolean;
}) {
  const [edited, set] = useEdited<Condition | undefined, Edited | undefined>(
    condition,
    {
      read: (given) => (given === undefined ? undefined : editedOf(given)),
      write: (made) => (made === undefined ? undefined : conditionOf(made)),
    },
    onChange,
  );
  const id = useId();
  const add = useRef<HTMLButtonElement>(null);
  if (edited === undefined)
    return (
      <button type="button" className="btn quiet sm mp-add" ref={add} onClick={() => set(emptyOne)}>
        <Icon name="plus" />
        {label}…
      </button>
    );
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset does not lay out as a grid everywhere.
    <div className="mp-cond" role="group" aria-labelledby={id}>
      <span className="mp-cond-label" id={id}>
        {label}
      </span>
      <Part
        {...{ edited, pathOf }}
        depth={1}
        count={countOf(edited)}
        onChange={set}
        onRemove={mayBeNone ? () => set(undefined) : undefined}
      />
    </div>
  );
}

interface PartProps {
  edited: Edited;
  depth: number;
  /** Conditions in all, so that none is added over the limit. */
  count: number;
  pathOf: (path: string) => string;
  onChange: (edited: Edited) => void;
  onRemove: (() => void) | undefined;
}

function Part(props: PartProps) {
  const { edited, depth, count, onChange } = props;
  if (edited.kind === 'group') return <GroupPart {...props} edited={edited} />;
  return (
    <>
      <LinePart {...props} edited={edited} />
      {depth === 1 && count < partsMax && (
        <div className="mp-cond-acts">
          {(['all', 'any'] as const).map((of) => (
            <button
              key={of}
              type="button"
              className="btn quiet sm"
              onClick={() => onChange({ kind: 'group', of, parts: [edited, emptyOne] })}
            >
              <Icon name="plus" />
              {of === 'all' ? 'And' : 'Or'}
            </button>
          ))}
          <button
            type="button"
            className="btn quiet sm"
            onClick={() => onChange({ kind: 'group', of: 'none', parts: [edited] })}
          >
            Not
          </button>
        </div>
      )}
    </>
  );
}

function GroupPart({
  edited,
  depth,
  count,
  pathOf,
  onChange,
  onRemove,
}: PartProps & { edited: Extract<Edited, { kind: 'group' }> }) {
  const { of, parts } = edited;
  const add = useRef<HTMLButtonElement>(null);
  const set = (next: readonly Edited[]) => onChange({ ...edited, parts: next });
  const remove = (at: number) => {
    const left = parts.toSpliced(at, 1);
    const [only] = left;
    add.current?.focus();
    // What is left alone stands without its group, unless the group denies it.
    if (left.length === 1 && only !== undefined && of !== 'none') onChange(only);
    else if (left.length === 0) onRemove?.();
    else set(left);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset does not lay out as a grid everywhere.
    <div className="mp-cond-group" role="group" aria-label={groupWords[of]}>
      <div className="mp-cond-head">
        <span className="pick">
          <select
            aria-label="How these conditions belong together"
            value={of}
            onChange={(event) => onChange({ ...edited, of: event.target.value as Group })}
          >
            {Object.entries(groupWords).map(([name, words]) => (
              <option key={name} value={name}>
                {words}
              </option>
            ))}
          </select>
        </span>
        {onRemove !== undefined && (
          <button
            type="button"
            className="btn quiet icon sm"
            aria-label={`Take away the group “${groupWords[of]}”`}
            onClick={onRemove}
          >
            <Icon name="close" />
          </button>
        )}
      </div>
      {parts.map((part, at) => (
        <Part
          key={at}
          edited={part}
          depth={depth + (of === 'none' && parts.length > 1 ? 2 : 1)}
          {...{ count, pathOf }}
          onChange={(next) => set(parts.with(at, next))}
          onRemove={() => remove(at)}
        />
      ))}
      <div className="mp-cond-acts">
        <button
          type="button"
          className="btn quiet sm"
          ref={add}
          disabled={count >= partsMax}
          onClick={() => set([...parts, emptyOne])}
        >
          <Icon name="plus" />
          Condition
        </button>
        {depth + 2 <= depthMax && (
          <button
            type="button"
            className="btn quiet sm"
            disabled={count >= partsMax - 1}
            onClick={() =>
              set([...parts, { kind: 'group', of: of === 'all' ? 'any' : 'all', parts: [emptyOne, emptyOne] }])
            }
          >
            <Icon name="plus" />
            Group
          </button>
        )}
      </div>
    </div>
  );
}

function LinePart({ edited, pathOf, onChange, onRemove }: PartProps & { edited: Extract<Edited, { kind: 'one' }> }) {
  const { path, is, to } = edited;
  // A line that was just added takes the focus, so that the next click in the request goes into it.
  const [isNew] = useState(path === '');
  const row = useRef<HTMLDivElement>(null);
  const name = path === '' ? 'the condition' : `the condition on ${path}`;
  return (
    <div className="mp-cond-line" ref={row}>
      <PathInput
        aria-label="What it looks at"
        value={path}
        // It is there because somebody asked for it by a button.
        autoFocus={isNew}
        onPath={(next) => onChange({ ...edited, path: next })}
        onPick={(picked) => {
          onChange({ ...edited, path: pathOf(picked) });
          row.current?.querySelector('select')?.focus();
        }}
      />
      <span className="in select">
        <select
          aria-label={`What ${path === '' ? 'it' : path} is to be`}
          value={is}
          onChange={(event) => onChange({ ...edited, is: event.target.value as Comparison })}
        >
          {Object.entries(comparisonWords).map(([one, words]) => (
            <option key={one} value={one}>
              {words}
            </option>
          ))}
        </select>
        <Icon name="down" />
      </span>
      {is === 'exists' || is === 'absent' ? (
        <span />
      ) : (
        <input
          className="in"
          aria-label="This value"
          placeholder={is === 'in' ? 'one, another' : is === 'equals' ? 'its value' : '20.00'}
          inputMode={/^[<>]/.test(is) ? 'decimal' : undefined}
          maxLength={512}
          spellCheck={false}
          value={to}
          onChange={(event) => onChange({ ...edited, to: event.target.value })}
        />
      )}
      {onRemove === undefined ? (
        <span />
      ) : (
        <button type="button" className="btn quiet icon sm" aria-label={`Take away ${name}`} onClick={onRemove}>
          <Icon name="close" />
        </button>
      )}
    </div>
  );
}

const countOf = (edited: Edited): number =>
  edited.kind === 'one' ? 1 : 1 + edited.parts.reduce((sum, part) => sum + countOf(part), 0);
