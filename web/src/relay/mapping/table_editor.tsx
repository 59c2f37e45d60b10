import type { ClipboardEvent } from 'react';
import { useId } from 'react';
import { Select } from '../../controls/field.tsx';
import { Icon } from '../../controls/icons.tsx';
import { useEdited } from './edited.ts';
import type { RuleObject } from './model.ts';

type Row = readonly [from: string, to: string];
type Table = NonNullable<RuleObject['lookup']>;

/** As `mappingLimits.tableEntriesMax` says. */
const rowsMax = 1_000;

/** A look-up table, row by row; rows that are copied from a sheet are pasted as they are. */
export function TableEditor({
  field,
  rule,
  onChange,
}: {
  field: string;
  rule: RuleObject & { lookup: Table };
  onChange: (rule: RuleObject) => void;
}) {
  const { lookup, otherwise, ...rest } = rule;
  const keep = (table: Table, other = otherwise) =>
    onChange({ ...rest, lookup: table, ...(other === undefined ? {} : { otherwise: other }) });
  const [rows, set] = useEdited<Table, readonly Row[]>(
    lookup,
    {
      read: (table) => {
        const known = Object.entries(table);
        return known.length === 0 ? [['', '']] : known;
      },
      write: (next) => Object.fromEntries(next.filter(([from]) => from !== '')),
    },
    keep,
  );
  const id = useId();
  const seen = new Set<string>();
  const doubled = rows.find(([from]) => from !== '' && seen.size === seen.add(from).size)?.[0];
  const paste = (event: ClipboardEvent, at: number) => {
    const given = rowsOf(event.clipboardData.getData('text'));
    if (given.length === 0) return;
    event.preventDefault();
    set([...rows.slice(0, at), ...given, ...rows.slice(at + 1)].slice(0, rowsMax));
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset does not lay out as a grid everywhere.
    <div className="mp-table" role="group" aria-label={`Table of ${field}`}>
      <span className="mp-cond-label">Table: what comes, and what it becomes</span>
      {rows.map(([from, to], at) => (
        <div className="rl-pair" key={at}>
          <input
            className="in sm mono"
            aria-label={`What comes, row ${at + 1}`}
            placeholder="what comes"
            maxLength={512}
            spellCheck={false}
            // biome-ignore lint/a11y/noAutofocus: the row is there because somebody asked for it by a button.
            autoFocus={from === '' && to === ''}
            value={from}
            onPaste={(event) => paste(event, at)}
            onChange={(event) => set(rows.with(at, [event.target.value, to]))}
          />
          <input
            className="in sm mono"
            aria-label={`What it becomes, row ${at + 1}`}
            placeholder="becomes"
            maxLength={512}
            spellCheck={false}
            value={to}
            onChange={(event) => set(rows.with(at, [from, event.target.value]))}
          />
          <button
            type="button"
            className="btn quiet icon sm"
            aria-label={`Take row ${at + 1} away`}
            onClick={() => set(rows.toSpliced(at, 1))}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
      {doubled !== undefined && (
        <p className="help" role="status">
          “{doubled}” stands twice: the last row counts.
        </p>
      )}
      <div className="mp-cond-acts">
        <button
          type="button"
          className="btn quiet sm"
          disabled={rows.length >= rowsMax}
          onClick={() => set([...rows, ['', '']])}
        >
          <Icon name="plus" />
          Row
        </button>
        <span className="mp-other">
          <label htmlFor={id}>Anything else</label>
          <Select
            id={id}
            value={otherwise ?? ''}
            onChange={(event) =>
              onChange({
                ...rest,
                lookup,
                ...(event.target.value === '' ? {} : { otherwise: event.target.value as 'keep' | 'leave_out' }),
              })
            }
          >
            <option value="">is a problem</option>
            <option value="keep">stays as it is</option>
            <option value="leave_out">is left out</option>
          </Select>
        </span>
        <button type="button" className="btn quiet sm" onClick={() => onChange(rest)}>
          No table
        </button>
      </div>
    </div>
  );
}

/** Rows of a sheet: two cells with a tab between, or a comma or semicolon where there is none. One value alone is no row. */
function rowsOf(text: string): Row[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (lines.length < 2 && !text.includes('\t')) return [];
  return lines.map((line) => {
    const [from = '', to = ''] = line.split(line.includes('\t') ? '\t' : /[;,]/);
    return [from.trim(), to.trim()];
  });
}
