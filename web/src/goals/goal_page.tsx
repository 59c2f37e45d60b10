import { useCallback, useMemo, useState } from 'react';
import type { MetricName } from '../../../contract/query.ts';
import { Link, navigate, useAddress } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import type { View } from '../address/view.ts';
import { firstRows, readView } from '../address/view.ts';
import { CallBox } from '../controls/call_box.tsx';
import { FormError } from '../controls/field.tsx';
import { Icon } from '../controls/icons.tsx';
import type { Answer } from '../desk/answers.ts';
import { drawn, forgetAnswers, useAnswers } from '../desk/answers.ts';
import type { DeskError, Goal, QueryRequest, Site } from '../desk/api.ts';
import { api, asDeskError } from '../desk/api.ts';
import { useLive } from '../desk/live.ts';
import { useMayChange } from '../desk/session.tsx';
import { cellNumber, exactCount } from '../numbers/format.ts';
import { AllRows } from '../overview/all_rows.tsx';
import { useAnnotations } from '../overview/annotations.tsx';
import { askedWithOf, partlyOf } from '../overview/asked_with.ts';
import { Course, isPeopled } from '../overview/course.tsx';
import { revenueElsewhere } from '../overview/explanation.ts';
import { MarkedBar, useMarked } from '../overview/marked.tsx';
import { OverviewPanel } from '../overview/panel.tsx';
import { PlaceCredit } from '../overview/place_credit.tsx';
import { Empty, Failed } from '../overview/states.tsx';
import { Strip, totalsOf } from '../overview/strip.tsx';
import { useListFocus } from '../overview/use_list_focus.ts';
import { Reasons, WhyPopover } from '../overview/why.tsx';
import { clockText, rangeText } from '../period/words.ts';
import { dimensionOf } from '../questions/dimensions.ts';
import { passesAlone, toggleFilter } from '../questions/filters.ts';
import { metricLabel, metricWords } from '../questions/metrics.ts';
import { breakdownQuestion, listName, stepMetricOf, tabOf } from '../questions/overview.ts';
import type { Panel, PanelTab } from '../questions/panels.ts';
import { propertyTab } from '../questions/panels.ts';
import { useListed } from '../settings/listed.tsx';
import { Shell } from '../shell/shell.tsx';
import { goalAddress, goalsAddress } from './address.ts';
import { GoalChrome, ImportedNote } from './chrome.tsx';
import { GoalForm } from './form.tsx';
import { goalFilter, goalMetrics, goalPanels, goalQuestions, stepMetrics } from './questions.ts';
import { leaveRemoved } from './removed.ts';
import { useGoalView } from './use_view.ts';
import { RuleText, sentOf } from './words.tsx';

/** One goal: found by its number first, since its name may change. */
export function GoalPage({ site, id }: { site: Site; id: string }) {
  const load = useCallback(() => api.goals(site.domain), [site.domain]);
  const goals = useListed<Goal>(load);
  const goal = goals.rows?.find((one) => String(one.id) === id);
  if (goal !== undefined)
    return (
      <OneGoal
        site={site}
        goal={goal}
        onChanged={(changed) => goals.set((before) => before.map((one) => (one.id === changed.id ? changed : one)))}
      />
    );
  return (
    <Shell site={site.domain} title="Goal">
      <main className="wrap goals" id="main" tabIndex={-1}>
        {goals.problem !== undefined ? (
          <Failed
            code={goals.problem.code}
            message={goals.problem.message}
            reference={goals.problem.reference}
            onRetry={goals.reload}
            what="The goal could not be read."
          />
        ) : goals.settled ? (
          <Empty
            title="There is no goal with this number here."
            action={
              <Link className="btn sm" href={pathOf({ page: 'goals', site: site.domain })}>
                All goals
              </Link>
            }
          >
            It may have been removed, or it is one of another site.
          </Empty>
        ) : (
          <div className="gl-frame" />
        )}
      </main>
    </Shell>
  );
}

const labels: Partial<Record<MetricName, string>> = { events: 'Times' };

function OneGoal({ site, goal, onChanged }: { site: Site; goal: Goal; onChanged: (goal: Goal) => void }) {
  const { search } = useAddress();
  const view = useMemo(() => readView(search), [search]);
  const mayChange = useMayChange(site);
  const editing = mayChange && new URLSearchParams(search).get('edit') === 'on';
  const live = useLive(site.domain);
  const goalView = useGoalView(site, view);
  const [changes, setChanges] = useState(0);
  const [refusal, setRefusal] = useState<DeskError>();
  const [why, setWhy] = useState(false);
  const { frame, asked: outside, local, firstDay } = goalView;
  const panels = goalPanels(goal);
  const asked = { ...outside, filters: [...outside.filters, goalFilter(goal)] };
  const questions = goalQuestions(outside, goal);
  const tabs = new Map<string, PanelTab>(panels.map((panel) => [panel.id, shownTab(panel, view)]));
  for (const panel of panels) {
    const tab = tabs.get(panel.id) as PanelTab;
    if (dimensionOf(tab.dimension) !== undefined)
      questions[listName(panel, tab)] = breakdownQuestion(asked, tab, { limit: panel.rows });
  }
  const { answers, retry } = useAnswers(questions, goalView.tick + changes, goalView.ready);
  const annotations = useAnnotations(site, drawn(answers.totals) !== undefined);
  const address = (part: Partial<View>) => goalAddress(site.domain, goal.id, { ...view, ...part }, editing);
  const change = (part: Partial<View>, replace = false) => navigate(address(part), { replace });
  const closeForm = () => navigate(goalAddress(site.domain, goal.id, view), { replace: true });

  useListFocus(view.all);
  const marking = useMarked(search);

  const remove = async () => {
    setRefusal(undefined);
    try {
      const { undo } = await api.deleteGoal(site.domain, goal.id);
      forgetAnswers();
      leaveRemoved(site.domain, { goal, undo });
      navigate(goalsAddress(site.domain, view));
    } catch (error) {
      setRefusal(asDeskError(error));
    }
  };

  const shown = answers.totals as Answer;
  const metrics = goalMetrics(goal);
  const totals = totalsOf(drawn(shown), metrics).map((total) => ({
    ...total,
    ...(labels[total.metric] === undefined ? {} : { label: labels[total.metric] as string }),
  }));
  const metric: MetricName = metrics.find((one) => one === view.metric) ?? 'visitors';
  const total = totals.find((one) => one.metric === metric);
  const answeredAt = shown.state === 'here' ? clockText(shown.at, site.timezone, undefined, true) : undefined;
  const everyone = cellNumber(drawn(answers.everyone)?.results[0]?.metrics[0]);
  const reached = cellNumber(totals[0]?.after);
  const before = frame.before === undefined ? undefined : rangeText(frame.before, frame.today);
  const partly = partlyOf(frame, firstDay);
  const askedWith = askedWithOf(site.timezone, outside, { filters: asked.filters, partly, answeredAt });
  const title = metric === 'events' ? 'Times' : metric === 'visitors' ? 'Visitors who reached it' : metricLabel(metric);

  return (
    <GoalChrome
      site={site}
      title={goal.name}
      view={view}
      goalView={goalView}
      live={live}
      skipTo="Skip to the numbers"
      onChange={change}
      actions={{ t: () => change({ table: !view.table }), w: () => setWhy(true) }}
    >
      <main className="wrap goals" id="main" tabIndex={-1}>
        <div className="gl-top">
          <p className="gl-answer">
            <Link className="btn quiet sm" href={goalsAddress(site.domain, { ...view, ...firstRows, all: undefined })}>
              <Icon name="back" />
              Goals
            </Link>
            <b className="only-m" dir="auto">
              {goal.name}
            </b>
            <span className="gl-what">
              <RuleText rule={goal} />
              {everyone !== null && reached !== null && (
                <span>
                  {' · '}
                  <b>
                    {exactCount(reached)} of {exactCount(everyone)} visitors
                  </b>{' '}
                  reached it
                </span>
              )}
            </span>
          </p>
          {mayChange && !editing && (
            <span className="gl-acts">
              <Link className="btn" href={goalAddress(site.domain, goal.id, view, true)}>
                Change goal
              </Link>
              <button type="button" className="btn" onClick={() => void remove()}>
                Remove goal
              </button>
            </span>
          )}
        </div>
        <FormError message={refusal?.message} reference={refusal?.reference} />
        {editing && (
          <GoalForm
            site={site}
            start={sentOf(goal)}
            goal={goal}
            onDone={(changed) => {
              forgetAnswers();
              onChanged(changed);
              setChanges((count) => count + 1);
              closeForm();
            }}
            onCancel={closeForm}
          />
        )}
        <section className="panel totals" aria-label="Totals and their course">
          {shown.state === 'failed' && drawn(shown) === undefined ? (
            <Failed
              code={shown.code}
              message={shown.message}
              reference={shown.reference}
              onRetry={retry}
              what="The numbers could not be read."
            />
          ) : (
            <>
              <Strip
                totals={totals}
                answers={totals.map(() => shown)}
                selected={metric}
                onSelect={(chosen) => change({ metric: chosen }, true)}
                compared={
                  before === undefined
                    ? undefined
                    : `against ${before}${frame.running ? ', up to the same time of day' : ''}`
                }
                partly={partly}
              />
              <Course
                frame={frame}
                metric={metric}
                view={view}
                local={local}
                firstDay={firstDay}
                series={answers['now series'] as Answer}
                before={answers['before series']}
                partly={partly}
                total={total}
                onChange={change}
                onRetry={retry}
                currency={goal.currency ?? site.currency}
                annotations={annotations}
                drawnAs={{
                  asked: stepMetrics(goal),
                  metric: stepMetricOf(metric),
                  peopled: (label) =>
                    isPeopled(answers['now people'], label) || isPeopled(answers['before people'], label),
                }}
                why={
                  <WhyPopover open={why} onOpenChange={setWhy} shortens>
                    <Reasons
                      title={title}
                      means={[{ text: meansOf(metric, goal) }]}
                      {...askedWith}
                      question={questions.totals as QueryRequest}
                      answer={drawn(shown)}
                    />
                  </WhyPopover>
                }
              />
            </>
          )}
        </section>
        {view.all !== undefined && dimensionOf(tabs.get(view.all)?.dimension ?? '') !== undefined ? (
          <AllRows
            asked={asked}
            askedWith={askedWith}
            view={view}
            totalOf={() => null}
            onChange={change}
            marking={marking}
            of={panels}
            back={goal.name}
          />
        ) : (
          <div className="grid">
            {panels.map((panel) => {
              const tab = tabs.get(panel.id) as PanelTab;
              return (
                <OverviewPanel
                  key={panel.id}
                  panel={panel}
                  tab={tab}
                  site={site.domain}
                  event={goal.kind === 'event' ? goal.match : undefined}
                  askedWith={askedWith}
                  question={questions[listName(panel, tab)]}
                  answer={answers[listName(panel, tab)] as Answer}
                  totalOf={() => null}
                  marking={marking}
                  filtered={(value) => passesAlone(view.filters, tab.dimension, value)}
                  onFilter={(value, exclude) =>
                    change({ filters: toggleFilter(view.filters, tab.dimension, value, exclude ? 'is_not' : 'is') })
                  }
                  failedAlready={shown.state === 'failed' && drawn(shown) === undefined ? shown.code : undefined}
                  onRetry={retry}
                  onTab={(chosen) => change({ tabs: { ...view.tabs, [panel.id]: chosen } }, true)}
                  onAll={() => change({ all: panel.id, ...firstRows })}
                  {...(panel.id === 'places' ? { note: <PlaceCredit /> } : {})}
                  empty={<Empty title={`Nobody reached this goal, ${rangeText(frame.range, frame.today)}.`} />}
                />
              );
            })}
          </div>
        )}
        <p className="fresh">
          {answeredAt !== undefined && (
            <span>
              Counted to {answeredAt} in {site.timezone}.
            </span>
          )}
          <ImportedNote answer={drawn(answers.imported)} today={frame.today} />
          {revenueElsewhere(drawn(shown)).map(({ currency, events }) => (
            <span key={currency}>
              {exactCount(events)} {events === 1 ? 'event' : 'events'} in {currency} {events === 1 ? 'is' : 'are'} not
              in the revenue, which is in {goal.currency}.
            </span>
          ))}
        </p>
        {drawn(shown) !== undefined && (
          <CallBox
            site={site.domain}
            call={{ method: 'POST', path: '/api/v2/query', body: questions.totals as QueryRequest }}
          />
        )}
        <MarkedBar marking={marking} filters={view.filters} onFilters={(filters) => change({ filters })} />
      </main>
    </GoalChrome>
  );
}

/** The tab of a panel; properties have none of their own until one is chosen. */
function shownTab(panel: Panel, view: View): PanelTab {
  return panel.tabs.length === 0 && view.tabs[panel.id] === undefined
    ? propertyTab('prop.')
    : (tabOf(panel, view) ?? propertyTab('prop.'));
}

function meansOf(metric: MetricName, goal: Goal): string {
  switch (metric) {
    case 'visitors':
      return 'Different visitor numbers that reached the goal in the period. A number is forgotten at midnight UTC, so someone who comes on two days counts twice.';
    case 'events':
      return 'How often the goal was reached in the period, however many visitors did so.';
    case 'total_revenue':
      return `The sum of what its events carried in ${goal.currency}. Amounts in other currencies are never added to it.`;
    default:
      return metricWords[metric]?.definition ?? '';
  }
}
