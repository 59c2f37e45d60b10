import { useState } from 'react';
import type { MetricName } from '../../../contract/query.ts';
import { Link } from '../address/navigate.tsx';
import type { View } from '../address/view.ts';
import { Sparkline } from '../charts/sparkline.tsx';
import { ChangeMark } from '../controls/change.tsx';
import { Icon } from '../controls/icons.tsx';
import { Popover } from '../controls/popover.tsx';
import type { Answer } from '../desk/answers.ts';
import { drawn } from '../desk/answers.ts';
import type { Goal, QueryAnswer, Site } from '../desk/api.ts';
import type { CsvCell } from '../numbers/csv.ts';
import type { Cell } from '../numbers/format.ts';
import { cellNumber, change, metricText, notApplicable, onItsWay } from '../numbers/format.ts';
import { partlyOf } from '../overview/asked_with.ts';
import { isAhead, stepLabels } from '../period/period.ts';
import { rangeText } from '../period/words.ts';
import type { Sort, SortKey } from './address.ts';
import { firstDirection, goalAddress } from './address.ts';
import { listMetrics } from './questions.ts';
import type { GoalView } from './use_view.ts';
import { countsTimes, RuleText, ruleWords } from './words.tsx';

interface Row {
  goal: Goal;
  cells: Partial<Record<MetricName, Cell | undefined>>;
  /** Visitors of the days before; undefined where nothing is compared. */
  before: Cell | undefined;
  course: readonly number[];
  /** False for a goal that is newer than the answer. */
  known: boolean;
}

const columns: readonly { key: SortKey; head: string; wide?: true }[] = [
  { key: 'visitors', head: 'Visitors' },
  { key: 'events', head: 'Times', wide: true },
  { key: 'conversion_rate', head: 'Rate' },
  { key: 'total_revenue', head: 'Revenue', wide: true },
];

/** The goals with their numbers, the course of each, and what can be done with it. */
export function GoalTable({
  site,
  view,
  goals,
  answers,
  goalView,
  sort,
  sortAddress,
  onRemove,
}: {
  site: Site;
  view: View;
  /** Undefined while they are on their way. */
  goals: readonly Goal[] | undefined;
  answers: Record<string, Answer>;
  goalView: GoalView;
  sort: Sort;
  sortAddress: (sort: Sort) => string;
  onRemove: ((goal: Goal) => void) | undefined;
}) {
  const { frame } = goalView;
  const data = drawn(answers.rows);
  const known = data !== undefined;
  const dim = answers.rows?.state === 'waiting' && answers.rows.late && known;
  const rows = ordered(rowsOf(goals ?? [], answers, goalView), sort);
  const shown = columnsOf(goals ?? []);
  const against =
    frame.before === undefined
      ? undefined
      : `against ${rangeText(frame.before, frame.today)}${frame.running ? ', up to the same time of day' : ''}`;
  const days = rangeText(frame.range, frame.today);
  const partly = partlyOf(goalView.frame, goalView.firstDay);
  // Which columns there are, the goals decide.
  if (goals === undefined) return <div className="gl-rows" aria-busy />;
  return (
    <div className={`gl-rows ${dim ? 'dim' : ''}`} aria-busy={!known}>
      <table>
        <thead>
          <tr>
            <SortHead sort={sort} by="name" head="Goal" address={sortAddress} />
            {shown.map(({ key, head, wide }) => (
              <SortHead key={key} sort={sort} by={key} head={head} wide={wide} address={sortAddress} />
            ))}
            <th scope="col" className="num aside change">
              Change
            </th>
            <th scope="col" className="aside course">
              Visitors per {frame.step}
            </th>
            <th scope="col" className="acts">
              <span className="vh">Actions</span>
            </th>
          </tr>
        </thead>
        {/* Other rows than before the numbers came: they stand in the order of those, and none has moved. */}
        <tbody key={String(known)}>
          {rows.map(({ goal, cells, before, course, known }) => (
            <tr key={goal.id}>
              <td className="gl-name">
                <Link className="name" href={goalAddress(site.domain, goal.id, view)} dir="auto">
                  {goal.name}
                </Link>
                <span className="q cut">
                  <RuleText rule={goal} oneLine />
                </span>
              </td>
              {shown.map(({ key, wide }) => (
                <td key={key} className={`num ${wide === true ? 'lo' : ''}`}>
                  {known ? textOf(key, goal, cells) : <span>{onItsWay}</span>}
                </td>
              ))}
              <td className="num aside">
                {!known ? (
                  <span>{onItsWay}</span>
                ) : partly !== undefined ? (
                  <span title={`No change: the days before are ${partly}`}>{notApplicable}</span>
                ) : against !== undefined && before !== undefined ? (
                  <ChangeMark change={change('visitors', cells.visitors, before)} against={against} />
                ) : (
                  notApplicable
                )}
              </td>
              <td className="aside">
                {course.length > 1 && (
                  <Sparkline
                    values={course}
                    top={Math.max(...course)}
                    running={frame.running}
                    label={`${goal.name}: visitors per ${frame.step}, ${days}: ${course.join(', ')}`}
                  />
                )}
              </td>
              <td className="num">
                {/* The rows are drawn anew when their numbers come: what was opened before would close. */}
                {onRemove !== undefined && known && (
                  <RowMenu
                    goal={goal}
                    edit={goalAddress(site.domain, goal.id, view, true)}
                    onRemove={() => onRemove(goal)}
                  />
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const columnsOf = (goals: readonly Goal[]) =>
  columns.filter(({ key }) => key !== 'total_revenue' || goals.some(({ currency }) => currency !== null));

/** The list as it is seen, for a sheet: numbers without signs, the unit in the head, a currency beside its amount. */
export function goalSheet(
  goals: readonly Goal[],
  answers: Record<string, Answer>,
  goalView: GoalView,
  sort: Sort,
): CsvCell[][] {
  const shown = columnsOf(goals);
  const heads = shown.flatMap(({ key, head }) =>
    key === 'conversion_rate' ? ['Rate, %'] : key === 'total_revenue' ? [head, 'Currency'] : [head],
  );
  const rows = ordered(rowsOf(goals, answers, goalView), sort);
  return [
    ['Goal', 'Counts', ...heads],
    ...rows.map(({ goal, cells }) => [
      goal.name,
      ruleWords(goal),
      ...shown.flatMap(({ key }): CsvCell[] => {
        const value = isApplicable(key, goal) && key !== 'name' ? cellNumber(cells[key]) : null;
        if (key === 'total_revenue') return [value, goal.currency];
        return [key === 'conversion_rate' && value !== null ? Math.round(value * 10) / 10 : value];
      }),
    ]),
  ];
}

function SortHead({
  sort,
  by,
  head,
  wide,
  address,
}: {
  sort: Sort;
  by: SortKey;
  head: string;
  wide?: true | undefined;
  address: (sort: Sort) => string;
}) {
  const on = sort.by === by;
  const next: Sort = {
    by,
    direction: !on ? firstDirection(by) : sort.direction === 'desc' ? 'asc' : 'desc',
  };
  return (
    <th
      scope="col"
      className={`${by === 'name' ? '' : 'num'} ${wide === true ? 'lo' : ''} ${by === 'total_revenue' ? 'money' : ''}`}
      {...(on ? { 'aria-sort': sort.direction === 'asc' ? ('ascending' as const) : ('descending' as const) } : {})}
    >
      <Link className="sort" href={address(next)}>
        {on && <Icon name="down" className={sort.direction === 'asc' ? 'up' : ''} />}
        {head}
      </Link>
    </th>
  );
}

function RowMenu({ goal, edit, onRemove }: { goal: Goal; edit: string; onRemove: () => void }) {
  const [open, setOpen] = useState(false);
  return (
    <Popover
      label={`More about ${goal.name}`}
      align="end"
      width={200}
      open={open}
      onOpenChange={setOpen}
      button={(button) => (
        <button type="button" className="btn quiet icon sm more" aria-label={`More about ${goal.name}`} {...button}>
          <Icon name="more" />
        </button>
      )}
    >
      {(close) => (
        <ul className="choices">
          <li>
            <Link className="choice" href={edit}>
              Change goal
            </Link>
          </li>
          <li>
            <button
              type="button"
              className="choice"
              onClick={() => {
                close();
                onRemove();
              }}
            >
              Remove goal
            </button>
          </li>
        </ul>
      )}
    </Popover>
  );
}

/** Reading further is no other time, and what earns nothing has no revenue. */
function isApplicable(key: SortKey, goal: Goal): boolean {
  return (key !== 'events' || countsTimes(goal)) && (key !== 'total_revenue' || goal.currency !== null);
}

function textOf(key: SortKey, goal: Goal, cells: Row['cells']): string {
  if (key === 'name' || !isApplicable(key, goal)) return notApplicable;
  // Whole units from 1,000, where the eye compares; a table never abbreviates.
  const amount = cellNumber(cells[key]) ?? 0;
  return metricText(key, cells[key], { exact: key !== 'total_revenue' || Math.abs(amount) >= 1_000_000 });
}

/** Every goal has a row: one that nobody reached has none in the answer. */
function rowsOf(goals: readonly Goal[], answers: Record<string, Answer>, { frame, local, firstDay }: GoalView): Row[] {
  const metrics = listMetrics(goals);
  const [after, before] = [drawn(answers.rows), drawn(answers.before)];
  const everyone = cellNumber(drawn(answers.everyone)?.results[0]?.metrics[0]) ?? 0;
  // Before the first stored day nothing was measured, which is no zero.
  const from = frame.step === 'day' || frame.step === 'hour' ? firstDay : '';
  const labels = stepLabels(frame.range, frame.step).filter(
    (label) => !isAhead(label, frame.step, local) && label.slice(0, 10) >= from,
  );
  const course = new Map(
    (drawn(answers.course)?.results ?? []).map(({ dimensions: [goal, label], metrics: [visitors] }) => [
      `${label} ${goal}`,
      cellNumber(visitors) ?? 0,
    ]),
  );
  return goals.map((goal) => {
    const found = rowOf(after, goal);
    const zeros: Row['cells'] = {
      visitors: 0,
      events: 0,
      conversion_rate: everyone === 0 ? null : 0,
      total_revenue: goal.currency === null ? null : { currency: goal.currency, value: 0, short: '', long: '' },
    };
    return {
      goal,
      known: after !== undefined && (found !== undefined || answers.rows?.state === 'here'),
      cells:
        found === undefined
          ? zeros
          : Object.fromEntries(metrics.map((metric, at) => [metric, found.metrics[at] as Cell | undefined])),
      before: before === undefined ? undefined : ((rowOf(before, goal)?.metrics[0] ?? 0) as Cell),
      course:
        answers.course?.state === 'failed' || after === undefined
          ? []
          : labels.map((label) => course.get(`${label} ${goal.name}`) ?? 0),
    };
  });
}

const rowOf = (answer: QueryAnswer | undefined, { name }: Goal) =>
  answer?.results.find(({ dimensions: [goal] }) => goal === name);

/** Money of different currencies stands in groups, since one cannot be greater than the other. */
function ordered(rows: readonly Row[], { by, direction }: Sort): Row[] {
  const turn = direction === 'asc' ? 1 : -1;
  const byName = (a: Row, b: Row) => a.goal.name.localeCompare(b.goal.name);
  if (by === 'name') return [...rows].sort((a, b) => turn * byName(a, b));
  const value = ({ goal, cells }: Row) => (isApplicable(by, goal) ? cellNumber(cells[by]) : null);
  return [...rows].sort((a, b) => {
    const [one, other] = [value(a), value(b)];
    if (one === null || other === null) return Number(one === null) - Number(other === null) || byName(a, b);
    const currencies = by === 'total_revenue' ? (a.goal.currency ?? '').localeCompare(b.goal.currency ?? '') : 0;
    return currencies || turn * (one - other) || byName(a, b);
  });
}
