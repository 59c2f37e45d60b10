import { useEffect, useRef, useState } from 'react';
import { Icon } from '../controls/icons.tsx';
import { listKeys } from '../controls/list_keys.ts';
import { Popover } from '../controls/popover.tsx';
import { takeFocus } from '../controls/take_focus.ts';
import { drawn, useAnswers } from '../desk/answers.ts';
import { cellNumber, exactCount } from '../numbers/format.ts';
import type { Dimension } from '../questions/dimensions.ts';
import { dimensionOf, dimensions, valueText } from '../questions/dimensions.ts';
import type { Filter, Operator } from '../questions/filters.ts';
import { filterSentence, filterWords, operators, operatorWords } from '../questions/filters.ts';
import type { Asked } from '../questions/overview.ts';
import { valuesQuestion } from '../questions/overview.ts';
import { rowsOf } from './panel.tsx';

export interface FilterBarProps {
  asked: Asked;
  filters: readonly Filter[];
  onChange: (filters: Filter[]) => void;
  timezone: string;
  adding: boolean;
  onAdding: (adding: boolean) => void;
}

/** The filters of the view as chips; each can be opened, changed and taken off. */
export function FilterBar({ asked, filters, onChange, timezone, adding, onAdding }: FilterBarProps) {
  const [edited, setEdited] = useState<number | null>(null);
  return (
    <section className="filters reached" tabIndex={-1} aria-label="Filters">
      {filters.map((filter, index) => {
        const words = filterWords(filter);
        return (
          <span className="chip" key={`${filter.operator}${filter.dimension}`}>
            <Popover
              label={`Change filter: ${filterSentence(filter)}`}
              width={320}
              open={edited === index}
              onOpenChange={(open) => setEdited(open ? index : null)}
              button={(props) => (
                <button type="button" className="chip-text" title={filterSentence(filter)} {...props}>
                  <span>
                    {words.label} {words.operator}
                  </span>{' '}
                  <b className="cut">{words.value}</b>
                </button>
              )}
            >
              {(close) => (
                <FilterEditor
                  asked={asked}
                  start={filter}
                  onDone={(changed) => {
                    onChange(
                      filters.flatMap((one, at) => (at !== index ? [one] : changed === undefined ? [] : [changed])),
                    );
                    close();
                  }}
                />
              )}
            </Popover>
            <button
              type="button"
              className="chip-x"
              aria-label={`Remove filter: ${filterSentence(filter)}`}
              onClick={() => onChange(filters.filter((_, at) => at !== index))}
            >
              <Icon name="close" />
            </button>
          </span>
        );
      })}
      <Popover
        label="Add a filter"
        width={320}
        open={adding}
        onOpenChange={onAdding}
        button={(props) => (
          <button type="button" className="chip add" {...props}>
            <Icon name="plus" />
            Filter
          </button>
        )}
      >
        {(close) => (
          <FilterEditor
            asked={asked}
            onDone={(added) => {
              if (added !== undefined) onChange([...filters, added]);
              close();
            }}
          />
        )}
      </Popover>
      {filters.length > 1 && (
        <button type="button" className="btn quiet sm" onClick={() => onChange([])}>
          Clear all
        </button>
      )}
      <span className="zone q only-d">{timezone}</span>
    </section>
  );
}

/** Dimension, operator, values: one step after the other in the same place. */
function FilterEditor({
  asked,
  start,
  onDone,
}: {
  asked: Asked;
  start?: Filter;
  onDone: (filter: Filter | undefined) => void;
}) {
  const [dimension, setDimension] = useState<Dimension | undefined>(
    start === undefined ? undefined : dimensionOf(start.dimension),
  );
  if (dimension === undefined) return <DimensionList onChoose={setDimension} />;
  return (
    <ValueList
      asked={asked}
      dimension={dimension}
      start={start}
      onBack={() => setDimension(undefined)}
      onDone={onDone}
    />
  );
}

function DimensionList({ onChoose }: { onChoose: (dimension: Dimension) => void }) {
  const [search, setSearch] = useState('');
  const found = dimensions.filter((one) => one.label.toLowerCase().includes(search.trim().toLowerCase()));
  const list = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState(0);
  const active = Math.min(at, found.length - 1);
  useEffect(() => {
    list.current?.children[active]?.scrollIntoView({ block: 'nearest' });
  }, [active]);
  return (
    <div className="editor">
      <div className="in sm search">
        <Icon name="search" />
        <input
          ref={takeFocus}
          role="combobox"
          aria-expanded="true"
          aria-controls="filter-dimensions"
          aria-activedescendant={found[active] === undefined ? undefined : `filter-dimension-${found[active].key}`}
          aria-label="What to filter by"
          placeholder="Filter by…"
          value={search}
          onChange={(event) => {
            setSearch(event.target.value);
            setAt(0);
          }}
          onKeyDown={listKeys({
            active,
            count: found.length,
            move: setAt,
            choose: () => found[active] !== undefined && onChoose(found[active]),
          })}
        />
      </div>
      <div className="options" id="filter-dimensions" role="listbox" aria-label="Dimensions" ref={list}>
        {found.map((one, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the input above owns the keyboard (combobox pattern).
          <div
            key={one.key}
            id={`filter-dimension-${one.key}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === active}
            onPointerMove={() => setAt(index)}
            onClick={() => onChoose(one)}
          >
            {one.label}
          </div>
        ))}
      </div>
      {found.length === 0 && <p className="pop-text">Nothing here is called “{search}”.</p>}
    </div>
  );
}

const isExact = (operator: Operator) => operator === 'is' || operator === 'is_not';

/** Typing waits this long before it asks: one question per pause, not per key. */
const typingMs = 200;

function ValueList({
  asked,
  dimension,
  start,
  onBack,
  onDone,
}: {
  asked: Asked;
  dimension: Dimension;
  start: Filter | undefined;
  onBack: () => void;
  onDone: (filter: Filter | undefined) => void;
}) {
  const [operator, setOperator] = useState<Operator>(start?.operator ?? 'is');
  const [values, setValues] = useState<string[]>(start?.dimension === dimension.key ? start.values : []);
  const [typed, setTyped] = useState('');
  const [search, setSearch] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => setSearch(typed.trim()), typingMs);
    return () => clearTimeout(timer);
  }, [typed]);
  // A country is stored as a code; its name is the browser's, so the search runs over the list instead of the desk.
  const local = dimension.key === 'country';
  const { answers } = useAnswers({ values: valuesQuestion(asked, dimension.key, local ? '' : search) });
  const exact = isExact(operator);
  const answer = answers.values;
  const rows = rowsOf(drawn(answer), dimension).filter(
    (row) => !local || row.name.toLowerCase().includes(typed.trim().toLowerCase()),
  );
  const known = new Set(rows.map((row) => row.value));
  const chosenElsewhere = values.filter((value) => !known.has(value));
  const toggle = (value: string) =>
    setValues(values.includes(value) ? values.filter((one) => one !== value) : [...values, value]);
  const apply = () => {
    const wanted = !exact && typed.trim() !== '' && !values.includes(typed.trim()) ? [...values, typed.trim()] : values;
    onDone(wanted.length === 0 ? undefined : { operator, dimension: dimension.key, values: wanted });
  };
  return (
    <form
      className="editor"
      onSubmit={(event) => {
        event.preventDefault();
        apply();
      }}
    >
      <div className="editor-head">
        <button type="button" className="btn quiet icon sm" aria-label="Another dimension" onClick={onBack}>
          <Icon name="left" />
        </button>
        <b>{dimension.label}</b>
        <label className="pick">
          <span className="vh">Operator</span>
          <select
            value={operator}
            onChange={(event) => {
              const chosen = event.target.value as Operator;
              // "Is" and "is not" share their values; a text that is searched for is no value.
              if (isExact(chosen) !== exact) setValues([]);
              setOperator(chosen);
            }}
          >
            {operators.map((one) => (
              <option key={one} value={one}>
                {operatorWords[one].one}
              </option>
            ))}
          </select>
        </label>
      </div>
      <div className="in sm search">
        <Icon name="search" />
        <input
          ref={takeFocus}
          data-autofocus
          aria-label={exact ? 'Search values' : 'Text'}
          placeholder={exact ? 'Search…' : 'Text…'}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
      </div>
      {exact ? (
        <ul className="options ticks" aria-label="Values">
          {chosenElsewhere.map((value) => (
            <ValueRow key={value} name={valueText(dimension, value)} on onToggle={() => toggle(value)} />
          ))}
          {rows.map((row) => (
            <ValueRow
              key={row.value}
              name={row.name}
              count={cellNumber(row.metrics[0])}
              on={values.includes(row.value)}
              onToggle={() => toggle(row.value)}
            />
          ))}
          {rows.length === 0 && answer.state === 'here' && (
            <li className="pop-text">No value of this period matches.</li>
          )}
          {answer.state === 'failed' && <li className="pop-text">{answer.message}</li>}
          {answer.state === 'waiting' && answer.late && rows.length === 0 && <li className="pop-text">Looking…</li>}
        </ul>
      ) : (
        <p className="pop-text">
          {dimension.label} {operatorWords[operator].one} this text, in upper or lower case.
        </p>
      )}
      <div className="editor-foot">
        <button
          type="submit"
          className="btn main-act sm"
          disabled={values.length === 0 && (exact || typed.trim() === '')}
        >
          {start === undefined ? 'Add filter' : 'Change filter'}
        </button>
        {start !== undefined && (
          <button type="button" className="btn quiet sm" onClick={() => onDone(undefined)}>
            Remove it
          </button>
        )}
      </div>
    </form>
  );
}

function ValueRow({
  name,
  count,
  on,
  onToggle,
}: {
  name: string;
  count?: number | null;
  on: boolean;
  onToggle: () => void;
}) {
  return (
    <li>
      <label className="option-tick">
        <input type="checkbox" checked={on} onChange={onToggle} />
        <span className="cut" dir="auto">
          {name}
        </span>
        {count !== undefined && count !== null && <span className="q">{exactCount(count)}</span>}
      </label>
    </li>
  );
}
