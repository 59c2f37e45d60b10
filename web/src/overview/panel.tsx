import type { CSSProperties, ReactNode } from 'react';
import { lazy, Suspense, useEffect, useId, useState } from 'react';
import { CutPath } from '../controls/cut_path.tsx';
import { Icon } from '../controls/icons.tsx';
import { Tabs } from '../controls/tabs.tsx';
import type { Answer } from '../desk/answers.ts';
import { drawn } from '../desk/answers.ts';
import type { QueryAnswer, QueryRequest } from '../desk/api.ts';
import { api } from '../desk/api.ts';
import type { Cell } from '../numbers/format.ts';
import {
  cellNumber,
  cellOf,
  columnMoney,
  exactCount,
  isDuration,
  isMoney,
  isPercentMetric,
  metricText,
  notApplicable,
  onItsWay,
  percent,
  share,
} from '../numbers/format.ts';
import type { Dimension } from '../questions/dimensions.ts';
import { declaredDimension, dimensionOf, isProperty, valueText } from '../questions/dimensions.ts';
import type { Column, PanelTab, Panel as PanelWords } from '../questions/panels.ts';
import { detailOf, isOffered, propertyPanel, propertyTab, rowsAsked, tabKey } from '../questions/panels.ts';
import { keysAreOn } from '../shell/keys.ts';
import type { AskedWith } from './asked_with.ts';
import type { Marking } from './marked.tsx';
import { PanelMenu } from './panel_menu.tsx';
import { Empty, Failed } from './states.tsx';

/** With its outlines, which are more than the rest of the page: loaded when a map is first opened. */
const WorldMap = lazy(() => import('../map/world_map.tsx').then((part) => ({ default: part.WorldMap })));

/** How a panel reads a row: a value to filter by, a name to show, and a number for each metric asked. */
export interface PanelRow {
  value: string;
  name: string;
  metrics: Cell[];
}

export function rowsOf(answer: QueryAnswer | undefined, dimension: Dimension): PanelRow[] {
  return (answer?.results ?? []).map((row) => {
    const [value = null, name] = row.dimensions;
    const shown =
      dimension.names !== undefined && name !== undefined && name !== null && name !== ''
        ? name
        : valueText(dimension, value);
    return { value: value ?? '', name: shown, metrics: row.metrics as Cell[] };
  });
}

/**
 * Reading further is not another time, and the desk counts none for a goal of it: that somebody reached a goal and no
 * event did is how such a goal is known. A dash says so where 0 would say that nothing happened.
 */
function timesOf(column: Column, cell: Cell | null, { metrics }: PanelRow): Cell | null {
  return column.metric === 'events' && cell === 0 && cellNumber(metrics[0]) !== 0 ? null : cell;
}

export function totalRows(answer: QueryAnswer | undefined): number | undefined {
  const total = answer?.meta.total_rows;
  return typeof total === 'number' ? total : undefined;
}

export interface BreakdownProps {
  tab: PanelTab;
  answer: Answer;
  /** Totals of the view, which shares are taken of. */
  totalOf: (metric: Column['metric']) => number | null;
  rows: number;
  filtered: (value: string) => boolean;
  onFilter: (value: string, exclude: boolean) => void;
  marking: Marking;
  onRetry: () => void;
  empty: ReactNode;
  /** Why the totals above could not be read: the same reason is not said again in every list. */
  failedAlready?: string | undefined;
  sort?: { by: Column; direction: 'asc' | 'desc'; onSort: (column: Column) => void };
}

/** A breakdown as a table with bars behind the names. Its height is that of its rows, filled or not. */
export function Breakdown({
  tab,
  answer,
  totalOf,
  rows,
  filtered,
  onFilter,
  marking,
  onRetry,
  empty,
  failedAlready,
  sort,
}: BreakdownProps) {
  const dimension = declaredDimension(tab.dimension);
  const data = drawn(answer);
  const height = { '--rows': rows } as CSSProperties;
  if (answer.state === 'failed' && data === undefined)
    return (
      <div className="body" style={height}>
        {answer.code === failedAlready ? (
          <p className="empty">Not read, for the same reason.</p>
        ) : (
          <Failed code={answer.code} message={answer.message} reference={answer.reference} onRetry={onRetry} />
        )}
      </div>
    );
  const all = rowsOf(data, dimension);
  const list = all.slice(0, rows);
  if (data !== undefined && list.length === 0)
    return (
      <div className="body here" style={height}>
        {empty}
      </div>
    );
  const metrics = tab.columns.filter((column) => column.kind === 'metric');
  const leading = sort?.by ?? (tab.columns[0] as Column);
  const leadingAt = metrics.findIndex((column) => column.metric === leading.metric);
  const longest = Math.max(1, ...list.map((row) => cellNumber(row.metrics[leadingAt]) ?? 0));
  const money = largestMoney(list);
  const dim = answer.state === 'waiting' && answer.late && data !== undefined;
  if (tab.map === true && data !== undefined)
    return (
      <div className={`body here drawing ${dim ? 'dim' : ''}`} style={height} aria-busy={answer.state === 'waiting'}>
        <Suspense>
          <WorldMap
            places={all.map((row) => ({
              code: row.value,
              name: row.name,
              visitors: cellNumber(row.metrics[leadingAt]) ?? 0,
            }))}
            total={totalOf(leading.metric)}
            filtered={filtered}
            onFilter={onFilter}
          />
        </Suspense>
      </div>
    );
  return (
    <div
      className={`body ${dim ? 'dim' : ''} ${data === undefined ? '' : 'here'}`}
      style={height}
      aria-busy={answer.state === 'waiting'}
    >
      <table className="bars">
        <thead>
          <tr>
            <th scope="col">{dimension.label}</th>
            {tab.columns.map((column) => (
              <th
                key={column.head}
                scope="col"
                className={`num ${column.wide === true ? 'lo' : ''} ${column.metric === 'total_revenue' ? 'money' : ''}`}
                {...(column === leading
                  ? { 'aria-sort': sort?.direction === 'asc' ? ('ascending' as const) : ('descending' as const) }
                  : {})}
              >
                {sort !== undefined && column.kind === 'metric' ? (
                  <button type="button" className="sort" onClick={() => sort.onSort(column)}>
                    {column === leading && <Icon name="down" className={sort.direction === 'asc' ? 'up' : ''} />}
                    {column.head}
                  </button>
                ) : (
                  column.head
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {data === undefined
            ? Array.from({ length: rows }, (_, index) => (
                <tr key={index} className="skeleton">
                  <td>
                    {answer.state === 'waiting' && answer.late ? (
                      <span className="bone-line" style={{ width: `${78 - index * 7}%` }} />
                    ) : (
                      index === 0 && <span className="vh">{onItsWay}</span>
                    )}
                  </td>
                  {tab.columns.map((column) => (
                    <td key={column.head} className={`num ${column.wide === true ? 'lo' : ''}`} />
                  ))}
                </tr>
              ))
            : list.map((row) => {
                const cells = cellsOf(tab, row, totalOf);
                const isMarked =
                  marking.marked?.dimension === tab.dimension && marking.marked.values.includes(row.value);
                return (
                  <tr
                    key={row.value}
                    className={[filtered(row.value) ? 'on' : '', isMarked ? 'marked-row' : ''].join(' ').trim()}
                  >
                    <td>
                      <span
                        className="b"
                        style={{
                          width: `calc((100% - var(--edge)) * ${(0.92 * Math.max(0, cellNumber(row.metrics[leadingAt]) ?? 0)) / longest})`,
                        }}
                      />
                      <RowName
                        name={row.name}
                        path={isPath(tab)}
                        filtered={filtered(row.value)}
                        onFilter={(exclude) => onFilter(row.value, exclude)}
                        marked={isMarked}
                        onMark={() => marking.mark(tab.dimension, row.value)}
                      />
                    </td>
                    {tab.columns.map((column, at) => (
                      <td
                        key={column.head}
                        className={`num ${column.kind === 'share' ? 'z' : ''} ${column.wide === true ? 'lo' : ''}`}
                      >
                        {/* An element of its own: a number that came into the same text would count as one that moved. */}
                        {cells[at] === undefined ? <span>{onItsWay}</span> : cellText(column, cells[at], money)}
                      </td>
                    ))}
                  </tr>
                );
              })}
        </tbody>
      </table>
    </div>
  );
}

/** The name of a row, which filters by it. */
export function RowName({
  name,
  path,
  filtered,
  onFilter,
  marked = false,
  onMark,
}: {
  name: string;
  path: boolean;
  filtered: boolean;
  onFilter: (exclude: boolean) => void;
  marked?: boolean;
  /** Selects the row, or takes it out again; without it rows are not selected here. */
  onMark?: () => void;
}) {
  const hint = onMark === undefined ? '' : ' Ctrl-click or x: select.';
  return (
    <button
      type="button"
      className="name"
      {...(path || marked ? { 'aria-label': marked ? `${name}, selected` : name } : {})}
      title={`${name}\nClick: only this. Alt-click: all but this.${hint}`}
      aria-pressed={filtered}
      onClick={(event) =>
        onMark !== undefined && (event.ctrlKey || event.metaKey) ? onMark() : onFilter(event.altKey)
      }
      onKeyDown={(event) => {
        if (event.key === 'x' && onMark !== undefined && keysAreOn() && !event.ctrlKey && !event.metaKey) onMark();
        // A button makes no click of Enter with Alt.
        if (event.key !== 'Enter' || !event.altKey) return;
        event.preventDefault();
        onFilter(true);
      }}
    >
      {marked && <Icon name="check" />}
      <NameText text={name} path={path} />
    </button>
  );
}

/** The numbers of a row, one for each column; a share is in percent. `undefined` is on its way. */
export function cellsOf(tab: PanelTab, row: PanelRow, totalOf: BreakdownProps['totalOf']): (Cell | undefined)[] {
  const asked = tab.columns.filter((column) => column.kind === 'metric').map((column) => column.metric);
  return tab.columns.map((column) => {
    const cell = cellOf(asked, row.metrics, asked.indexOf(column.metric)) ?? null;
    if (column.kind === 'metric') return timesOf(column, cell, row);
    const total = totalOf(column.metric);
    return total === null ? undefined : share(cellNumber(cell), total);
  });
}

function cellText(column: Column, cell: Cell | undefined, largest: number): string {
  if (isMoney(cell)) return columnMoney(cell, largest);
  if (column.kind === 'metric') return metricText(column.metric, cell, { exact: true });
  const value = cellNumber(cell);
  return cell === undefined ? onItsWay : value === null ? notApplicable : percent(value);
}

/** The largest amount of the rows: all of them are written with its decimals. */
function largestMoney(rows: readonly PanelRow[]): number {
  return Math.max(
    0,
    ...rows.flatMap(({ metrics }) => metrics.map((cell) => (isMoney(cell) ? Math.abs(cell.value) : 0))),
  );
}

/** A head with its unit, for where the numbers stand alone. */
export function headOf(column: Column, currency?: string): string {
  if (column.metric === 'total_revenue' && currency !== undefined) return `${column.head}, ${currency}`;
  if (column.kind === 'share' || isPercentMetric(column.metric)) return `${column.head}, %`;
  return isDuration(column.metric) ? `${column.head}, s` : column.head;
}

function isPath(tab: PanelTab): boolean {
  return (
    tab.dimension === 'page' || tab.dimension === 'entry' || tab.dimension === 'exit' || tab.dimension === 'referrer'
  );
}

function NameText({ text, path }: { text: string; path: boolean }) {
  return path ? (
    <CutPath text={text} />
  ) : (
    <span className="cut" dir="auto">
      {text}
    </span>
  );
}

export interface PanelProps extends Omit<BreakdownProps, 'tab' | 'rows' | 'sort'> {
  panel: PanelWords;
  tab: PanelTab;
  onTab: (key: string) => void;
  onAll: () => void;
  note?: ReactNode;
  site: string;
  askedWith: AskedWith;
  question: QueryRequest | undefined;
  /** Properties of this event alone. */
  event?: string | undefined;
}

/** The names of the properties that were seen, asked where they are chosen from. */
function useProperties(site: string, event: string | undefined, wanted: boolean): readonly string[] | undefined {
  const [names, setNames] = useState<readonly string[]>();
  useEffect(() => {
    if (!wanted) return;
    let here = true;
    api.properties(site, event).then(
      (found) => here && setNames(found.map(({ name }) => name)),
      // The property of the address is listed all the same; the state of the desk is said beside the numbers.
      () => {},
    );
    return () => {
      here = false;
    };
  }, [site, event, wanted]);
  return names;
}

/** One panel of the overview: tabs, a breakdown, and the way to all rows. */
export function OverviewPanel({
  panel,
  tab,
  onTab,
  onAll,
  note,
  site,
  askedWith,
  question,
  event,
  ...rest
}: PanelProps) {
  const bodyId = useId();
  const asksProperty = isProperty(tab.dimension);
  const seen = useProperties(site, event, asksProperty);
  const offered = panel.tabs.filter((one) => isOffered(one, askedWith.filters) || tabKey(one) === tabKey(tab));
  const groups = groupTabs(panel.id === propertyPanel ? [...offered, ...propertyTabs(tab, seen)] : offered);
  const detail = detailOf(panel, tab, askedWith.filters);
  const named = dimensionOf(tab.dimension);
  const data = drawn(rest.answer);
  const total = totalRows(data);
  const shown = Math.min(rowsAsked(panel, tab), data?.results.length ?? 0);
  const group = groups.find((one) => one.tabs.some((member) => tabKey(member) === tabKey(tab))) as TabGroup;
  const [first] = seen ?? [];
  // "Properties" was chosen: the one that is used most is as good a first as any.
  useEffect(() => {
    if (named === undefined && first !== undefined) onTab(`prop.${first}`);
  });
  return (
    <section
      className={`panel reached w${panel.span}`}
      id={`panel-${panel.id}`}
      tabIndex={-1}
      aria-labelledby={`${bodyId}-title`}
    >
      <header>
        <h2 className="vh" id={`${bodyId}-title`}>
          {panel.title}
        </h2>
        <Tabs
          label={panel.title}
          tabs={groups.map((one) => ({ id: one.id, label: one.label }))}
          selected={group.id}
          onSelect={(id) => {
            const [member] = groups.find((one) => one.id === id)?.tabs ?? [];
            if (member !== undefined) onTab(tabKey(member));
          }}
          panelId={bodyId}
        />
        {group.tabs.length > 1 && (
          <label className="pick">
            <span className="vh">{asksProperty ? 'Property' : `${group.label} by`}</span>
            <select value={tab.dimension} onChange={(event) => onTab(event.target.value)}>
              {group.tabs.map((member) => (
                <option key={member.dimension} value={member.dimension}>
                  {member.label}
                </option>
              ))}
            </select>
          </label>
        )}
        {named !== undefined && question !== undefined && (
          <PanelMenu
            key={tabKey(tab)}
            title={panel.title}
            tab={tab}
            site={site}
            askedWith={askedWith}
            question={question}
            answer={data}
            shown={shown}
            total={total ?? shown}
            totalOf={rest.totalOf}
            onAll={onAll}
          />
        )}
      </header>
      <div role="tabpanel" id={bodyId} aria-label={group.label}>
        {named !== undefined ? (
          <Breakdown tab={tab} rows={panel.rows} {...rest} />
        ) : (
          <div className="body" style={{ '--rows': panel.rows } as CSSProperties}>
            {seen?.length === 0 && (
              <Empty title="No event carried a property.">
                What an event is about goes along with it, such as the plan of a sign-up, and shows here.
              </Empty>
            )}
          </div>
        )}
      </div>
      <footer>
        <span>
          {data === undefined || data.results.length === 0 || named === undefined
            ? ' '
            : total === undefined
              ? `${exactCount(shown)} ${named.plural}`
              : total <= shown
                ? `${exactCount(total)} ${total === 1 && !asksProperty ? named.label.toLowerCase() : named.plural}`
                : `${exactCount(shown)} of ${exactCount(total)}`}
          {note !== undefined && (
            <span className="note-inline">
              {data !== undefined && data.results.length > 0 && ' · '}
              {note}
            </span>
          )}
        </span>
        {detail !== undefined && (
          <button type="button" className="link cut" onClick={() => onTab(tabKey(detail.tab))}>
            {capital(declaredDimension(detail.tab.dimension).plural)} of{' '}
            {rowsOf(data, declaredDimension(tab.dimension)).find(({ value }) => value === detail.value)?.name ??
              valueText(declaredDimension(tab.dimension), detail.value)}
          </button>
        )}
        {total !== undefined && total > shown && (
          <button type="button" className="link" onClick={onAll}>
            All {named?.plural}
          </button>
        )}
      </footer>
    </section>
  );
}

const capital = (words: string) => words.charAt(0).toUpperCase() + words.slice(1);

/** The property that is shown and the others that were seen; before one is chosen, the place of all of them. */
function propertyTabs(shown: PanelTab, seen: readonly string[] = []): PanelTab[] {
  return isProperty(shown.dimension)
    ? [shown, ...seen.map((one) => propertyTab(`prop.${one}`))]
    : [propertyTab('prop.')];
}

interface TabGroup {
  id: string;
  label: string;
  tabs: PanelTab[];
}

function groupTabs(tabs: readonly PanelTab[]): TabGroup[] {
  const groups: TabGroup[] = [];
  for (const tab of tabs) {
    const label = tab.group ?? tab.label;
    const known = groups.find((group) => group.label === label);
    if (known === undefined) groups.push({ id: label, label, tabs: [tab] });
    else if (!known.tabs.some((one) => tabKey(one) === tabKey(tab))) known.tabs.push(tab);
  }
  return groups;
}
