import type { KeyboardEvent } from 'react';
import { useRef, useState } from 'react';
import type { Mapping, MappingCase } from '../../../../contract/mapping.ts';
import { Field } from '../../controls/field.tsx';
import { Icon } from '../../controls/icons.tsx';
import { addCase, caseList, casesMax, isIgnored, moveCase, neverTried, removeCase, withCase } from './cases.ts';
import { ConditionEditor } from './condition_editor.tsx';
import { conditionText } from './condition_text.ts';
import { fieldsAt, pathWithin } from './model.ts';
import { PathInput } from './path_input.tsx';
import { pathInItems } from './tree_rows.ts';

/**
 * The cases of a mapping in the order in which they are tried: chosen, added, put in another order and taken away with the
 * mouse or with keys (Alt and an arrow moves the one that has the focus).
 */
export function CaseList({
  mapping,
  at,
  mayChange,
  onChoose,
  onChange,
}: {
  mapping: Mapping;
  at: number;
  mayChange: boolean;
  onChoose: (at: number) => void;
  onChange: (mapping: Mapping, at: number) => void;
}) {
  const list = caseList(mapping);
  const one = list[at];
  const hasCases = 'cases' in mapping;
  const isPlain = !hasCases && one !== undefined && !isIgnored(one) && one.when === undefined && one.each === undefined;
  const [isOpen, setOpen] = useState(!isPlain && !hasCases);
  const rows = useRef<HTMLOListElement>(null);
  const [dragged, setDragged] = useState<number>();
  const move = (from: number, to: number) => {
    if (to < 0 || to >= list.length || from === to) return;
    onChange(moveCase(mapping, from, to), to);
    // Rows stay in their places and take each other's words: the focus goes along with what was moved.
    rows.current?.querySelectorAll<HTMLElement>('.mp-case-name')[to]?.focus();
  };
  const onKey = (event: KeyboardEvent, place: number) => {
    if (!event.altKey || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') || !mayChange) return;
    event.preventDefault();
    move(place, place + (event.key === 'ArrowUp' ? -1 : 1));
  };
  const add = (kind: 'makes' | 'ignores') => {
    const made = addCase(mapping, kind, fieldsAt(mapping, at));
    setOpen(true);
    onChange(made.mapping, made.at);
  };
  const lost = neverTried(mapping);
  return (
    <section className="mp-cases" aria-label="Cases">
      {hasCases && (
        <>
          <h3>
            Cases <span className="q">tried from the top; the first that fits is taken</span>
          </h3>
          <ol ref={rows}>
            {list.map((each, place) => (
              <li
                key={place}
                className={`mp-case ${place === at ? 'on' : ''}`}
                draggable={mayChange}
                onDragStart={() => setDragged(place)}
                onDragEnd={() => setDragged(undefined)}
                onDragOver={(event) => dragged !== undefined && event.preventDefault()}
                onDrop={() => dragged !== undefined && move(dragged, place)}
              >
                <button
                  type="button"
                  className="mp-case-name"
                  aria-current={place === at}
                  aria-keyshortcuts={mayChange ? 'Alt+ArrowUp Alt+ArrowDown' : undefined}
                  onClick={() => {
                    setOpen(place === at ? !isOpen : isOpen);
                    onChoose(place);
                  }}
                  onKeyDown={(event) => onKey(event, place)}
                >
                  <span className="mp-case-at">{place + 1}</span>
                  <span className="cut">
                    {each.when === undefined ? 'any other request' : conditionText(each.when)}
                  </span>
                  {isIgnored(each) ? (
                    <span className="tag">no conversion</span>
                  ) : (
                    each.each !== undefined && <span className="tag">each of {each.each}</span>
                  )}
                </button>
                {mayChange && (
                  <span className="mp-case-acts">
                    <button
                      type="button"
                      className="btn quiet icon sm"
                      aria-label={`Try case ${place + 1} earlier`}
                      disabled={place === 0}
                      onClick={() => move(place, place - 1)}
                    >
                      <Icon name="up" />
                    </button>
                    <button
                      type="button"
                      className="btn quiet icon sm"
                      aria-label={`Try case ${place + 1} later`}
                      disabled={place === list.length - 1}
                      onClick={() => move(place, place + 1)}
                    >
                      <Icon name="down" />
                    </button>
                    <button
                      type="button"
                      className="btn quiet icon sm"
                      aria-label={`Take case ${place + 1} away`}
                      onClick={() => {
                        const left = removeCase(mapping, place);
                        onChange(left, Math.min(place, caseList(left).length - 1));
                      }}
                    >
                      <Icon name="close" />
                    </button>
                  </span>
                )}
              </li>
            ))}
          </ol>
          {lost !== undefined && (
            <p className="help">
              Case {lost + 1} is never tried: the one before it takes whatever comes. Move it up, or give that one a
              condition.
            </p>
          )}
        </>
      )}
      {mayChange && (
        <div className="mp-cond-acts">
          {!hasCases || one !== undefined ? (
            <button type="button" className="btn quiet sm" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
              <Icon name={isOpen ? 'down' : 'right'} />
              {hasCases ? `When case ${at + 1} fits` : 'Which requests'}
            </button>
          ) : null}
          {list.length < casesMax && (
            <>
              <button type="button" className="btn quiet sm" onClick={() => add('makes')}>
                <Icon name="plus" />
                Case
              </button>
              <button type="button" className="btn quiet sm" onClick={() => add('ignores')}>
                <Icon name="plus" />
                Ignore some
              </button>
            </>
          )}
        </div>
      )}
      {isOpen && mayChange && one !== undefined && (
        <CaseSettings
          key={at}
          one={one}
          isAlone={!hasCases}
          onChange={(next) => onChange(withCase(mapping, at, next), at)}
        />
      )}
    </section>
  );
}

/** Which requests a case is for, and whether it makes one conversion of each, or one of each item of a list. */
function CaseSettings({
  one,
  isAlone,
  onChange,
}: {
  one: MappingCase;
  isAlone: boolean;
  onChange: (one: MappingCase) => void;
}) {
  const [isOfList, setOfList] = useState('each' in one && one.each !== undefined);
  if (isIgnored(one))
    return (
      <div className="mp-case-set">
        <ConditionEditor
          label="No conversion where"
          condition={one.when}
          mayBeNone={false}
          onChange={(when) => when !== undefined && onChange({ ...one, when })}
        />
      </div>
    );
  const { when: _when, each: _each, only: _only, ...rest } = one;
  const made = (part: Partial<typeof one>): MappingCase => {
    const all = { when: one.when, each: one.each, only: one.only, ...part };
    const said = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    return { ...said, ...rest };
  };
  return (
    <div className="mp-case-set">
      <ConditionEditor
        label={isAlone ? 'Only requests where' : 'This case where'}
        condition={one.when}
        onChange={(when) => onChange(made({ when }))}
      />
      {!isOfList ? (
        <button type="button" className="btn quiet sm mp-add" onClick={() => setOfList(true)}>
          <Icon name="plus" />
          One conversion of each item of a list…
        </button>
      ) : (
        <>
          <Field
            label="One conversion of each of"
            help="Such as orders[*]. Its fields are read in one of them; $body begins at the whole request."
          >
            {(props) => (
              <PathInput
                {...props}
                value={one.each ?? ''}
                onPath={(path) => onChange(made({ each: path === '' ? undefined : path }))}
                onPick={(path) => {
                  const found = pathInItems(path)?.each;
                  if (found !== undefined) onChange(made({ each: found }));
                }}
              />
            )}
          </Field>
          <ConditionEditor
            label="Only those where"
            condition={one.only}
            pathOf={(path) => pathWithin(one.each, path)}
            onChange={(only) => onChange(made({ only }))}
          />
        </>
      )}
    </div>
  );
}
