import { useEffect, useId, useState } from 'react';
import type { View } from '../address/view.ts';
import { firstRows } from '../address/view.ts';
import { Icon } from '../controls/icons.tsx';
import { resting } from '../controls/resting.ts';
import { Tabs } from '../controls/tabs.tsx';
import type { Answer } from '../desk/answers.ts';
import { drawn, useAnswers } from '../desk/answers.ts';
import { exactCount } from '../numbers/format.ts';
import { declaredDimension, dimensionOf, isProperty } from '../questions/dimensions.ts';
import { passesAlone, toggleFilter } from '../questions/filters.ts';
import type { Asked } from '../questions/overview.ts';
import { breakdownQuestion, tabOf } from '../questions/overview.ts';
import type { Column, Panel, PanelTab } from '../questions/panels.ts';
import { panels } from '../questions/panels.ts';
import type { AskedWith } from './asked_with.ts';
import type { Marking } from './marked.tsx';
import { Breakdown, totalRows } from './panel.tsx';
import { PanelMenu } from './panel_menu.tsx';
import { Empty } from './states.tsx';

const pageRows = 50;
const typingMs = 200;

/** All rows of one panel in place of the panels: search, order, pages of 50, all in the address. Back returns. */
export function AllRows({
  asked,
  askedWith,
  view,
  earns = false,
  totalOf,
  onChange,
  marking,
  of = panels,
  back = 'Overview',
}: {
  asked: Asked;
  askedWith: AskedWith;
  view: View;
  /** The site keeps revenue. */
  earns?: boolean;
  totalOf: (metric: Column['metric']) => number | null;
  onChange: (part: Partial<View>, replace?: boolean) => void;
  marking: Marking;
  /** The panels of the page, where it is not the overview. */
  of?: readonly Panel[];
  /** The page that the list closes to. */
  back?: string;
}) {
  const panel = of.find((one) => one.id === view.all) as Panel;
  const wanted = tabOf(panel, view, earns);
  const shown = dimensionOf(wanted.dimension) === undefined ? (panel.tabs[0] as PanelTab) : wanted;
  const tab: PanelTab = { ...shown, columns: shown.allColumns ?? shown.columns };
  const lists = panel.tabs.filter((one) => one.map !== true);
  const tabs = isProperty(tab.dimension) ? [...lists, tab] : lists;
  const dimension = declaredDimension(tab.dimension);
  const { search, offset } = view;
  // An address can name an order that this list does not have.
  const by = tab.columns.find((column) => column.kind === 'metric' && column.metric === view.sort?.metric);
  const sort = by === undefined ? undefined : view.sort;
  const [typed, setTyped] = useState(search);
  const bodyId = useId();
  // Back and a followed link bring their own search; what is typed goes into the address after a pause.
  useEffect(() => setTyped(search), [search]);
  useEffect(() => {
    if (typed.trim() === search) return;
    const timer = setTimeout(() => onChange({ search: typed.trim(), offset: 0 }, true), typingMs);
    return () => clearTimeout(timer);
  });
  const question = breakdownQuestion(asked, tab, {
    limit: pageRows,
    offset,
    search,
    ...(sort === undefined ? {} : { sort }),
  });
  const name = `rows ${tab.dimension}`;
  const { answers, retry } = useAnswers({ [name]: question });
  const answer = answers[name] as Answer;
  const data = drawn(answer);
  const total = totalRows(data) ?? data?.results.length ?? 0;
  const here = data?.results.length ?? 0;
  return (
    <section className="panel all reached" id="all-rows" tabIndex={-1} aria-labelledby={`${bodyId}-title`}>
      <header>
        <button type="button" className="btn quiet sm" onClick={() => onChange({ all: undefined, ...firstRows })}>
          <Icon name="back" />
          {back}
        </button>
        <h2 className="vh" id={`${bodyId}-title`}>
          {panel.title}: all rows
        </h2>
        <Tabs
          label={panel.title}
          tabs={tabs.map((one) => ({
            id: one.dimension as string,
            label: one.group === 'Campaigns' ? `UTM ${one.label.toLowerCase()}` : one.label,
          }))}
          selected={tab.dimension}
          onSelect={(chosen) => {
            setTyped('');
            onChange({ tabs: { ...view.tabs, [panel.id]: chosen }, ...firstRows }, true);
          }}
          panelId={bodyId}
        />
        <div className="in sm search">
          <Icon name="search" />
          <input
            aria-label={`Search ${dimension.plural}`}
            placeholder={`Search ${dimension.plural}…`}
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
          />
        </div>
        <PanelMenu
          key={tab.dimension}
          title={panel.title}
          tab={tab}
          site={asked.site}
          askedWith={askedWith}
          question={question}
          answer={data}
          shown={here}
          total={total}
          totalOf={totalOf}
        />
      </header>
      <div role="tabpanel" id={bodyId} aria-label={dimension.plural}>
        <Breakdown
          tab={tab}
          answer={answer}
          totalOf={totalOf}
          marking={marking}
          rows={data === undefined ? pageRows : Math.max(8, Math.min(pageRows, here))}
          filtered={(value) => passesAlone(view.filters, tab.dimension, value)}
          onFilter={(value, exclude) =>
            onChange({
              filters: toggleFilter(view.filters, tab.dimension, value, exclude ? 'is_not' : 'is'),
              offset: 0,
            })
          }
          onRetry={retry}
          empty={
            search === '' ? (
              <Empty title={`No ${dimension.plural}, ${askedWith.days}.`} />
            ) : (
              <Empty
                title={`No row has “${search}” in it.`}
                action={
                  <button
                    type="button"
                    className="btn sm"
                    onClick={() => {
                      setTyped('');
                      onChange({ search: '', offset: 0 });
                    }}
                  >
                    Show all {dimension.plural}
                  </button>
                }
              />
            )
          }
          sort={{
            by: by ?? (tab.columns[0] as Column),
            direction: sort?.direction ?? 'desc',
            onSort: (column) => {
              const again = column === (by ?? tab.columns[0]) && (sort?.direction ?? 'desc') === 'desc';
              const first = column === tab.columns[0] && !again;
              onChange(
                { sort: first ? undefined : { metric: column.metric, direction: again ? 'asc' : 'desc' }, offset: 0 },
                true,
              );
            },
          }}
        />
      </div>
      <footer>
        <span>
          {total === 0 ? ' ' : `${exactCount(offset + 1)}–${exactCount(offset + here)} of ${exactCount(total)}`}
        </span>
        <span className="pages">
          <button
            type="button"
            className="btn sm"
            onClick={() => onChange({ offset: Math.max(0, offset - pageRows) })}
            {...resting(offset === 0)}
          >
            <Icon name="left" />
            Before
          </button>
          <button
            type="button"
            className="btn sm"
            onClick={() => onChange({ offset: offset + pageRows })}
            {...resting(offset + here >= total)}
          >
            After
            <Icon name="right" />
          </button>
        </span>
      </footer>
    </section>
  );
}
