import type { ReactNode } from 'react';
import { useState } from 'react';
import type { View } from '../address/view.ts';
import type { QueryAnswer, Site } from '../desk/api.ts';
import type { Live } from '../desk/live.ts';
import { importedDays } from '../overview/explanation.ts';
import { FilterBar } from '../overview/filter_bar.tsx';
import { AgainstPicker, PeriodPicker, periodItems } from '../overview/period_picker.tsx';
import { shiftRange } from '../period/period.ts';
import { rangeText } from '../period/words.ts';
import type { DeskKey } from '../shell/keys.ts';
import { Shell } from '../shell/shell.tsx';
import './goals.css';
import type { GoalView } from './use_view.ts';

/** Period, comparison and filters around a page of goals: the same as on the overview, and carried from it. */
export function GoalChrome({
  site,
  title,
  view,
  goalView,
  live,
  skipTo,
  onChange,
  actions,
  children,
}: {
  site: Site;
  title: string;
  view: View;
  goalView: GoalView;
  live: Live;
  skipTo: string;
  onChange: (part: Partial<View>, replace?: boolean) => void;
  actions: Partial<Record<DeskKey, () => void>>;
  children: ReactNode;
}) {
  const [opened, setOpened] = useState<'period' | 'against' | 'filter' | 'phone' | null>(null);
  const { frame, firstDay, asked } = goalView;
  const picker = (which: typeof opened) => ({
    ...{ view, frame, onChange },
    open: opened === which,
    onOpenChange: (open: boolean) => setOpened(open ? which : null),
  });
  const step = (direction: -1 | 1) =>
    onChange({ period: { kind: 'days', ...shiftRange(frame.range, direction, frame.today) }, step: undefined });
  return (
    <Shell
      site={site.domain}
      title={title}
      live={live}
      skipTo={skipTo}
      controls={
        <>
          <PeriodPicker {...picker('period')} firstDay={firstDay} />
          <AgainstPicker {...picker('against')} />
        </>
      }
      actions={{
        f: () => setOpened('filter'),
        '[': () => step(-1),
        ']': () => step(1),
        c: () => onChange({ against: view.against.kind === 'off' ? { kind: 'before' } : { kind: 'off' } }),
        ...actions,
      }}
      palette={() => periodItems(onChange)}
    >
      <section className="mrow only-m" aria-label="Period">
        <PeriodPicker {...picker('phone')} firstDay={firstDay} phone />
      </section>
      <FilterBar
        asked={asked}
        filters={view.filters}
        onChange={(filters) => onChange({ filters })}
        timezone={site.timezone}
        adding={opened === 'filter'}
        onAdding={(adding) => setOpened(adding ? 'filter' : null)}
      />
      {children}
    </Shell>
  );
}

/**
 * Says which days of the view came from another product's tables: they hold no events, so no goal is counted on them.
 * @param answer of visitors with imports; days of events that were imported are counted like any other
 */
export function ImportedNote({ answer, today }: { answer: QueryAnswer | undefined; today: string }) {
  const days = answer?.meta.imports_included === true ? importedDays(answer) : [];
  if (days.length === 0) return null;
  return (
    <span>
      Imported days know no goals: {days.map(([from, to]) => rangeText({ from, to }, today)).join(', ')}{' '}
      {days.length === 1 && days[0]?.[0] === days[0]?.[1] ? 'is' : 'are'} in none of these numbers.
    </span>
  );
}
