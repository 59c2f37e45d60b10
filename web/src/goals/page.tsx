import { useCallback, useEffect, useMemo, useState } from 'react';
import type { MetricName } from '../../../contract/query.ts';
import { Link, navigate, useAddress } from '../address/navigate.tsx';
import type { View } from '../address/view.ts';
import { readView } from '../address/view.ts';
import { CallBox } from '../controls/call_box.tsx';
import { FormError } from '../controls/field.tsx';
import { Icon } from '../controls/icons.tsx';
import { takeFocus } from '../controls/take_focus.ts';
import type { Answer } from '../desk/answers.ts';
import { drawn, forgetAnswers, useAnswers } from '../desk/answers.ts';
import type { DeskError, Goal, QueryRequest, Site } from '../desk/api.ts';
import { api, asDeskError } from '../desk/api.ts';
import { useLive } from '../desk/live.ts';
import { useMayChange } from '../desk/session.tsx';
import { saveFile } from '../edge/browser.ts';
import type { CsvCell } from '../numbers/csv.ts';
import { csvText } from '../numbers/csv.ts';
import { cellNumber, exactCount, onItsWay, percent } from '../numbers/format.ts';
import { askedWithOf, partlyOf } from '../overview/asked_with.ts';
import { Empty, Failed } from '../overview/states.tsx';
import { Reasons, WhyPopover } from '../overview/why.tsx';
import { clockText, rangeText } from '../period/words.ts';
import { metricWords } from '../questions/metrics.ts';
import { useListed } from '../settings/listed.tsx';
import { goalsAddress, readSort, readStart } from './address.ts';
import { GoalChrome, ImportedNote } from './chrome.tsx';
import { GoalForm } from './form.tsx';
import { listMetrics, listQuestions } from './questions.ts';
import { type Removed, takeRemoved } from './removed.ts';
import { Suggestions } from './seen.tsx';
import { GoalTable, goalSheet } from './table.tsx';
import { useGoalView } from './use_view.ts';
import { sentOf } from './words.tsx';

/** Which aims are met? Every goal with its numbers, and what could become one. */
export function GoalsPage({ site }: { site: Site }) {
  const { search } = useAddress();
  const view = useMemo(() => readView(search), [search]);
  const query = new URLSearchParams(search);
  const [sort, start] = [readSort(query), readStart(query)];
  const live = useLive(site.domain);
  const mayChange = useMayChange(site);
  const load = useCallback(() => api.goals(site.domain), [site.domain]);
  const goals = useListed<Goal>(load);
  const rows = goals.rows ?? [];
  const goalView = useGoalView(site, view);
  const [changes, setChanges] = useState(0);
  const [removed, setRemoved] = useState<Removed>();
  const [refusal, setRefusal] = useState<DeskError>();
  const [why, setWhy] = useState(false);
  const [settled, setSettled] = useState(false);
  const questions = listQuestions(goalView.asked, rows);
  const { answers, retry } = useAnswers(questions, goalView.tick + changes, goals.rows !== undefined && goalView.ready);
  useEffect(() => setRemoved(takeRemoved(site.domain)), [site.domain]);

  const address = (part: Partial<View>, more: Parameters<typeof goalsAddress>[2] = { sort, start }) =>
    goalsAddress(site.domain, { ...view, ...part }, more);
  const change = (part: Partial<View>, replace = false) => navigate(address(part), { replace });
  /** Goals are not what they were, so neither is what was answered about them. */
  const changed = (set: (before: Goal[]) => Goal[]) => {
    goals.set((before) => set(before).sort((a, b) => a.name.localeCompare(b.name)));
    forgetAnswers();
    setChanges((count) => count + 1);
  };
  const attempt = async (work: () => Promise<void>) => {
    setRefusal(undefined);
    try {
      await work();
    } catch (error) {
      setRefusal(asDeskError(error));
    }
  };
  const remove = (goal: Goal) =>
    attempt(async () => {
      const { undo } = await api.deleteGoal(site.domain, goal.id);
      changed((before) => before.filter(({ id }) => id !== goal.id));
      setRemoved({ goal, undo });
    });
  const restore = ({ goal, undo }: Removed) =>
    attempt(async () => {
      const again = await api.createGoal(site.domain, { ...sentOf(goal), undo });
      changed((before) => [...before, again]);
      setRemoved(undefined);
    });

  const { frame } = goalView;
  const main = answers.rows as Answer | undefined;
  const shown = answers.everyone as Answer;
  const answeredAt = shown.state === 'here' ? clockText(shown.at, site.timezone, undefined, true) : undefined;
  const nothing = goals.rows?.length === 0;

  const sheet = () => goalSheet(rows, answers, goalView, sort);

  return (
    <GoalChrome
      site={site}
      title="Goals"
      view={view}
      goalView={goalView}
      live={live}
      skipTo="Skip to the goals"
      onChange={change}
      actions={{ w: () => setWhy(true) }}
    >
      <main className="wrap goals" id="main" tabIndex={-1}>
        <div className="gl-top">
          <p className="gl-answer">
            <Reached answers={answers} days={rangeText(frame.range, frame.today)} none={nothing} />
          </p>
          {mayChange && start === undefined && (
            <Link className="btn main-act" href={address({}, { sort, start: { kind: 'page', match: '' } })}>
              <Icon name="plus" />
              Create goal
            </Link>
          )}
        </div>
        <FormError message={refusal?.message} reference={refusal?.reference} />
        {removed !== undefined && (
          <p className="note" role="status">
            <span>
              “{removed.goal.name}” is removed. The events it counted stay.{' '}
              <button
                key={removed.goal.id}
                ref={takeFocus}
                type="button"
                className="link"
                onClick={() => void restore(removed)}
              >
                Undo
              </button>
            </span>
          </p>
        )}
        {start !== undefined && mayChange && (
          <GoalForm
            key={`${start.kind} ${start.match}`}
            site={site}
            start={start}
            onDone={(made) => {
              changed((before) => [...before, made]);
              navigate(address({}, { sort }), { replace: true });
            }}
            onCancel={() => navigate(address({}, { sort }), { replace: true })}
          />
        )}
        <section className="panel gl-list" aria-labelledby="gl-list-title">
          <header>
            <h2 id="gl-list-title">All goals</h2>
            {questions.rows !== undefined && (
              <WhyPopover open={why} onOpenChange={setWhy}>
                <Reasons
                  title="Goals"
                  means={meanings(rows)}
                  {...askedWithOf(site.timezone, goalView.asked, {
                    filters: view.filters,
                    partly: partlyOf(frame, goalView.firstDay),
                    answeredAt,
                  })}
                  question={questions.rows as QueryRequest}
                  answer={drawn(main)}
                />
              </WhyPopover>
            )}
          </header>
          {goals.problem !== undefined ? (
            <Failed
              code={goals.problem.code}
              message={goals.problem.message}
              reference={goals.problem.reference}
              onRetry={goals.reload}
              what="The goals could not be read."
            />
          ) : main?.state === 'failed' && drawn(main) === undefined ? (
            <Failed
              code={main.code}
              message={main.message}
              reference={main.reference}
              onRetry={retry}
              what="The numbers could not be read."
            />
          ) : nothing ? (
            <div className="gl-frame">
              <Empty title="No goals yet.">
                A goal is what you want to happen: a page that is seen, an event, a page that is read. It counts the
                past too.{' '}
                {mayChange
                  ? 'Begin with something that was seen, below.'
                  : 'Members of this organisation can make one.'}
              </Empty>
            </div>
          ) : (
            <GoalTable
              site={site}
              view={view}
              goals={goals.rows}
              answers={answers}
              goalView={goalView}
              sort={sort}
              sortAddress={(next) => address({}, { sort: next, start })}
              onRemove={mayChange ? (goal) => void remove(goal) : undefined}
            />
          )}
          {/* What stands under a list waits for it, so that nothing moves when it comes. */}
          {goals.settled && (
            <footer>
              <span>
                {rows.length === 0 ? ' ' : `${exactCount(rows.length)} ${rows.length === 1 ? 'goal' : 'goals'}`}
              </span>
              {rows.length > 0 && (
                <span className="gl-files">
                  {(['csv', 'xlsx'] as const).map((format) => (
                    <button
                      key={format}
                      type="button"
                      className="link"
                      disabled={drawn(main) === undefined}
                      onClick={async () =>
                        saveFile(
                          `${site.domain.replaceAll(':', '-')}_goals_${frame.range.from}_${frame.range.to}.${format}`,
                          format === 'csv'
                            ? new Blob([csvText(sheet())], { type: 'text/csv;charset=utf-8' })
                            : await goalWorkbook(sheet()),
                        )
                      }
                    >
                      {format === 'csv' ? 'CSV of what is shown' : 'XLSX'}
                    </button>
                  ))}
                </span>
              )}
            </footer>
          )}
        </section>
        {mayChange && goals.settled && (
          <Suggestions
            site={site}
            view={view}
            goals={rows}
            ready={answers.everyone?.state !== 'waiting'}
            onSettled={setSettled}
          />
        )}
        {(settled || (goals.settled && !mayChange)) && (
          <p className="fresh">
            {answeredAt !== undefined && (
              <span>
                Counted to {answeredAt} in {site.timezone}.
              </span>
            )}
            <ImportedNote answer={drawn(answers.imported)} today={frame.today} />
          </p>
        )}
        {(settled || (goals.settled && !mayChange)) && questions.rows !== undefined && (
          <CallBox site={site.domain} call={{ method: 'POST', path: '/api/v2/query', body: questions.rows }} />
        )}
      </main>
    </GoalChrome>
  );
}

/** The answer in a line: how many of all visitors reached any goal. */
function Reached({ answers, days, none }: { answers: Record<string, Answer>; days: string; none: boolean }) {
  const all = cellNumber(drawn(answers.everyone)?.results[0]?.metrics[0]);
  const [visitors, rate] = drawn(answers.any)?.results[0]?.metrics ?? [];
  const reached = cellNumber(visitors);
  if (none) return <span>What do you want to happen on this site?</span>;
  if (all === null || reached === null) return <i>{onItsWay}</i>;
  if (all === 0 && drawn(answers.imported)?.meta.imports_included === true)
    return <span>No events are stored, {days}: its days were imported.</span>;
  if (all === 0) return <span>Nobody was on the site, {days}.</span>;
  const who = `${exactCount(all)} ${all === 1 ? 'visitor' : 'visitors'}`;
  if (reached === 0) return <span>{`No goal was reached by ${who}, ${days}.`}</span>;
  return (
    <span>
      <b>
        {exactCount(reached)} of {who}
      </b>{' '}
      reached a goal: {percent(cellNumber(rate) ?? 0)}, {days}.
    </span>
  );
}

const heads: Partial<Record<MetricName, { name: string; text: string }>> = {
  visitors: { name: 'Visitors', text: 'Visitors who reached the goal, each once a day.' },
  events: {
    name: 'Times',
    text: 'How often it was reached. Reading a page further is not another time, so goals of reading have no count.',
  },
  conversion_rate: { name: 'Rate', text: metricWords.conversion_rate?.definition ?? '' },
  total_revenue: {
    name: 'Revenue',
    text: 'Summed for each goal in its own currency; amounts in other currencies are not added to it.',
  },
};
const meanings = (goals: readonly Goal[]) => listMetrics(goals).flatMap((metric) => heads[metric] ?? []);

/** The same rows as the CSV, numbers as numbers. */
async function goalWorkbook([head = [], ...rows]: CsvCell[][]): Promise<Blob> {
  const { workbook } = await import('../numbers/xlsx.ts');
  const format = (at: number) => ({ Revenue: '#,##0.00', 'Rate, %': '0.0' })[String(head[at])] ?? '#,##0';
  return workbook(
    'Goals',
    head.map(String),
    rows.map((row) => row.map((cell, at) => (typeof cell === 'number' ? { value: cell, format: format(at) } : cell))),
  );
}
