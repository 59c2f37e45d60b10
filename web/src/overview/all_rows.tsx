import { useEffect, useId, useState } from 'react';
import type { View } from '../address/view.ts';
import { Icon } from '../controls/icons.tsx';
import { Tabs } from '../controls/tabs.tsx';
import type { Answer } from '../desk/answers.ts';
import { drawn, useAnswers } from '../desk/answers.ts';
import { exactCount } from '../numbers/format.ts';
import { declaredDimension } from '../questions/dimensions.ts';
import { toggleFilter } from '../questions/filters.ts';
import type { Asked } from '../questions/overview.ts';
import { breakdownQuestion, tabOf } from '../questions/overview.ts';
import type { Column, Panel } from '../questions/panels.ts';
import { panels } from '../questions/panels.ts';
import { Breakdown, totalRows } from './panel.tsx';
import { Empty } from './states.tsx';

const pageRows = 50;
const typingMs = 200;

/** All rows of one panel in place of the panels: search, order, pages of 50. Escape or Back returns. */
export function AllRows({
  asked,
  view,
  totalOf,
  onChange,
}: {
  asked: Asked;
  view: View;
  totalOf: (metric: Column['metric']) => number | null;
  onChange: (part: Partial<View>, replace?: boolean) => void;
}) {
  const panel = panels.find((one) => one.id === view.all) as Panel;
  const tab = tabOf(panel, view);
  const dimension = declaredDimension(tab.dimension);
  const [typed, setTyped] = useState('');
  const [search, setSearch] = useState('');
  const [offset, setOffset] = useState(0);
  const [sort, setSort] = useState<Column>(tab.columns[0] as Column);
  const bodyId = useId();
  useEffect(() => {
    const timer = setTimeout(() => {
      setSearch(typed.trim());
      setOffset(0);
    }, typingMs);
    return () => clearTimeout(timer);
  }, [typed]);
  useEffect(() => {
    setSort(tab.columns[0] as Column);
    setOffset(0);
  }, [tab]);
  const { answers, retry } = useAnswers({
    rows: breakdownQuestion(asked, tab, { limit: pageRows, offset, search, sort }),
  });
  const data = drawn(answers.rows as Answer);
  const total = totalRows(data) ?? data?.results.length ?? 0;
  const here = data?.results.length ?? 0;
  return (
    <section className="panel all" aria-labelledby={`${bodyId}-title`}>
      <header>
        <button type="button" className="btn quiet sm" onClick={() => onChange({ all: undefined })}>
          <Icon name="back" />
          Overview
        </button>
        <h2 className="vh" id={`${bodyId}-title`}>
          {panel.title}: all rows
        </h2>
        <Tabs
          label={panel.title}
          tabs={panel.tabs.map((one) => ({
            id: one.dimension as string,
            label: one.group === undefined ? one.label : `UTM ${one.label.toLowerCase()}`,
          }))}
          selected={tab.dimension}
          onSelect={(chosen) => onChange({ tabs: { ...view.tabs, [panel.id]: chosen } }, true)}
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
      </header>
      <div role="tabpanel" id={bodyId} aria-label={dimension.plural}>
        <Breakdown
          tab={tab}
          answer={answers.rows as Answer}
          totalOf={totalOf}
          rows={Math.max(8, Math.min(pageRows, here))}
          filtered={(value) =>
            view.filters.some(
              (filter) =>
                filter.dimension === tab.dimension && filter.operator === 'is' && filter.values.includes(value),
            )
          }
          onFilter={(value, exclude) =>
            onChange({ filters: toggleFilter(view.filters, tab.dimension, value, exclude ? 'is_not' : 'is') })
          }
          onRetry={retry}
          empty={<Empty title={search === '' ? 'Nothing in this period.' : `No row has “${search}” in it.`} />}
          sort={{
            by: sort,
            onSort: (column) => {
              setSort(column);
              setOffset(0);
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
            disabled={offset === 0}
            onClick={() => setOffset(Math.max(0, offset - pageRows))}
          >
            <Icon name="left" />
            Before
          </button>
          <button
            type="button"
            className="btn sm"
            disabled={offset + here >= total}
            onClick={() => setOffset(offset + pageRows)}
          >
            After
            <Icon name="right" />
          </button>
        </span>
      </footer>
    </section>
  );
}
