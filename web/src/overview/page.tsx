import { useEffect, useMemo, useRef, useState } from 'react';
import type { MetricName } from '../../../contract/query.ts';
import { Link, navigate, useAddress } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import type { View } from '../address/view.ts';
import { firstRows, readView, writeView } from '../address/view.ts';
import type { Answer } from '../desk/answers.ts';
import { drawn, useAnswers } from '../desk/answers.ts';
import type { QueryRequest, Site } from '../desk/api.ts';
import type { Live } from '../desk/live.ts';
import { useLive } from '../desk/live.ts';
import { cellNumber, count, exactCount, milliseconds, notApplicable } from '../numbers/format.ts';
import { shiftRange } from '../period/period.ts';
import { clockText, rangeText } from '../period/words.ts';
import { dimensionOf } from '../questions/dimensions.ts';
import type { Filter } from '../questions/filters.ts';
import { filterSentence, passesAlone, toggleFilter } from '../questions/filters.ts';
import type { Asked, Frame } from '../questions/overview.ts';
import {
  frameOf,
  listName,
  overviewQuestions,
  revenueMetrics,
  stepMetricOf,
  tabOf,
  totalsOfView,
} from '../questions/overview.ts';
import type { PanelTab } from '../questions/panels.ts';
import { panels, tabKey } from '../questions/panels.ts';
import { Shell } from '../shell/shell.tsx';
import { AllRows } from './all_rows.tsx';
import { useAnnotations } from './annotations.tsx';
import { askedWithOf, partlyOf } from './asked_with.ts';
import { Course, isPeopled } from './course.tsx';
import { EmptyPanel } from './empty_panel.tsx';
import { countedUntil, importedDays, rebuildingDays, revenueElsewhere } from './explanation.ts';
import { FilterBar } from './filter_bar.tsx';
import { MarkedBar, useMarked } from './marked.tsx';
import { OverviewPanel, rowsOf } from './panel.tsx';
import { AgainstPicker, PeriodPicker, periodItems } from './period_picker.tsx';
import { PlaceCredit } from './place_credit.tsx';
import { QualityLine, QualityNote, useQuality } from './quality.tsx';
import { NewSite, NothingMatches } from './quiet.tsx';
import { Failed } from './states.tsx';
import { Strip, totalsOf } from './strip.tsx';
import { firstDayOf, firstDayQuestion, useCalendar, useFirstDay, useNews, useRefresh } from './use_calendar.ts';
import { useListFocus } from './use_list_focus.ts';
import { Why } from './why.tsx';

/** How often this page asks whether something came: what did is seen within 3 seconds. */
const newsMs = 750;
/** Events that wait no longer than this are as good as counted. */
const lagShownMs = 1_000;

/** Who comes, from where, what does it earn: the overview of one site. */
export function OverviewPage({ site }: { site: Site }) {
  const { search } = useAddress();
  const view = useMemo(() => readView(search), [search]);
  const calendar = useCalendar(site);
  const { local, madeOn, tick } = calendar;
  const [opened, setOpened] = useState<'period' | 'against' | 'filter' | 'why' | null>(null);
  const live = useLive(site.domain, newsMs);
  const everything = view.period.kind === 'preset' && view.period.preset === 'all';
  const { firstDay, settled } = useFirstDay(site.domain, calendar, {
    wanted: everything || opened === 'period',
    imports: true,
  });
  const frame = frameOf(view, local.day, firstDay);
  // To the minute of the last refresh: the same question keeps the same key, so that a click back is answered at once.
  const asked: Asked = { site: site.domain, frame, filters: view.filters, time: local.time.slice(0, 5) };
  const questions = overviewQuestions(asked, view, site.revenue);
  // Days before the site was made are measured only where an import brought them.
  if (frame.before !== undefined && frame.before.from < madeOn) questions.first = firstDayQuestion(site.domain, true);
  const { answers, retry } = useAnswers(questions, tick, !everything || settled);

  // What failed while the desk or its warehouse was away is asked again as soon as it is back.
  const away = live.state === 'unreachable' || (live.state === 'here' && !live.now.stores.warehouse);
  const wasAway = useRef(false);
  useEffect(() => {
    if (wasAway.current && !away) retry();
    wasAway.current = away;
  });

  const change = (part: Partial<View>, replace = false) =>
    navigate(pathOf({ page: 'analytics', site: site.domain }) + writeView({ ...view, ...part }), { replace });
  const setFilters = (filters: Filter[]) => change({ filters });

  const totals = totalsOf(drawn(answers.totals as Answer), totalsOfView(view.filters));
  const nothing = cellNumber(totals[0]?.after) === 0 && cellNumber(totals[2]?.after) === 0;
  useRefresh(calendar, frame.running);
  const shown = answers.totals as Answer;
  useNews(calendar, frame.running, live.state === 'here' ? live.now.last_event_at : undefined, shown);

  useListFocus(view.all);
  const marking = useMarked(search);

  const ofMoney = site.revenue ? revenueMetrics : [];
  const strip = [...totals, ...ofMoney.flatMap((one) => totalsOf(drawn(answers[one]), [one]))];
  const stripAnswers = [...totals.map(() => answers.totals as Answer), ...ofMoney.map((one) => answers[one] as Answer)];
  const metric: MetricName = strip.some((total) => total.metric === view.metric) ? view.metric : 'visitors';
  /** The question behind the number that is drawn. */
  const drawnFrom = ofMoney.find((one) => one === metric) ?? 'totals';
  const before = frame.before === undefined ? undefined : rangeText(frame.before, frame.today);
  const totalOf = (wanted: MetricName) => cellNumber(totals.find((total) => total.metric === wanted)?.after);
  const measuredFrom = firstDayOf(answers.first) ?? madeOn;
  const partly = partlyOf(frame, measuredFrom);
  const rebuilding = rebuildingDays(drawn(shown));
  const imported = importedDays(drawn(shown));
  const annotations = useAnnotations(site, drawn(shown) !== undefined);
  const signs = useQuality(site.domain, drawn(shown) !== undefined) ?? [];
  const step = (direction: -1 | 1) =>
    change({ period: { kind: 'days', ...shiftRange(frame.range, direction, frame.today) }, step: undefined });
  const answeredAt = shown.state === 'here' ? clockText(shown.at, site.timezone, undefined, true) : undefined;
  const askedWith = askedWithOf(site.timezone, asked, { filters: view.filters, partly, answeredAt });
  const isNew = nothing && view.filters.length === 0 && firstDay >= frame.range.from;
  const filtered = nothing && view.filters.length > 0;

  return (
    <Shell
      site={site.domain}
      title="Overview"
      live={live}
      skipTo="Skip to the numbers"
      fact={
        <>
          <Now live={live} site={site.domain} />
          <QualityLine site={site.domain} signs={signs} />
        </>
      }
      controls={
        <>
          <PeriodPicker
            view={view}
            frame={frame}
            firstDay={firstDay}
            open={opened === 'period'}
            onOpenChange={(open) => setOpened(open ? 'period' : null)}
            onChange={change}
          />
          <AgainstPicker
            view={view}
            frame={frame}
            open={opened === 'against'}
            onOpenChange={(open) => setOpened(open ? 'against' : null)}
            onChange={change}
          />
        </>
      }
      actions={{
        f: () => setOpened('filter'),
        '[': () => step(-1),
        ']': () => step(1),
        c: () => change({ against: view.against.kind === 'off' ? { kind: 'before' } : { kind: 'off' } }),
        t: () => change({ table: !view.table }),
        w: () => setOpened('why'),
      }}
      palette={() => [
        ...periodItems(change),
        ...view.filters.map((filter, at) => ({
          id: `without ${at}`,
          group: 'Filters',
          text: `Remove: ${filterSentence(filter)}`,
          act: () => setFilters(view.filters.filter((_, other) => other !== at)),
        })),
        ...valuesSeen(view, answers).map(({ dimension, value, name }) => ({
          id: `only ${dimension.key} ${value}`,
          group: 'Filters',
          text: `${dimension.label} is ${name}`,
          searched: true as const,
          act: () => setFilters(toggleFilter(view.filters, dimension.key, value, 'is')),
        })),
      ]}
    >
      <PhoneRow view={view} frame={frame} firstDay={firstDay} live={live} onChange={change} />
      <FilterBar
        asked={asked}
        filters={view.filters}
        onChange={setFilters}
        timezone={site.timezone}
        adding={opened === 'filter'}
        onAdding={(adding) => setOpened(adding ? 'filter' : null)}
      />
      <main className="wrap" id="main" tabIndex={-1}>
        {away && drawn(shown) !== undefined ? (
          <Away live={live} since={answeredAt} />
        ) : (
          <QualityNote site={site.domain} signs={signs} />
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
                totals={strip}
                answers={stripAnswers}
                selected={metric}
                onSelect={(chosen) => change({ metric: chosen }, true)}
                compared={
                  before === undefined
                    ? undefined
                    : `against ${before}${frame.running ? ', up to the same time of day' : ''}`
                }
                partly={partly}
              />
              {isNew ? (
                <NewSite site={site.domain} />
              ) : filtered ? (
                <NothingMatches asked={asked} filters={view.filters} onFilters={setFilters} />
              ) : (
                <Course
                  frame={frame}
                  metric={metric}
                  view={view}
                  local={local}
                  firstDay={firstDay}
                  drawnAs={{
                    asked: drawnFrom === 'totals' ? totalsOfView(view.filters).map(stepMetricOf) : [drawnFrom],
                    metric: stepMetricOf(metric),
                    peopled: (step) => isPeopled(answers.people, step) || isPeopled(answers['people before'], step),
                  }}
                  series={answers.series as Answer}
                  before={answers.before}
                  partly={partly}
                  total={strip.find((total) => total.metric === metric)}
                  onChange={change}
                  onRetry={retry}
                  currency={site.currency}
                  annotations={annotations}
                  why={
                    <Why
                      metric={metric}
                      {...askedWith}
                      question={questions[drawnFrom] as QueryRequest}
                      answer={drawn(answers[drawnFrom])}
                      open={opened === 'why'}
                      onOpenChange={(open) => setOpened(open ? 'why' : null)}
                    />
                  }
                />
              )}
            </>
          )}
        </section>
        {view.all !== undefined ? (
          <AllRows
            asked={asked}
            askedWith={askedWith}
            view={view}
            earns={site.revenue}
            totalOf={totalOf}
            onChange={change}
            marking={marking}
          />
        ) : (
          <div className="grid">
            {panels.map((panel) => {
              const tab = tabOf(panel, view, site.revenue);
              return (
                <OverviewPanel
                  key={panel.id}
                  panel={panel}
                  tab={tab}
                  site={site.domain}
                  askedWith={askedWith}
                  question={questions[listName(panel, tab)]}
                  answer={answers[listName(panel, tab)] as Answer}
                  totalOf={totalOf}
                  marking={marking}
                  filtered={(value) => passesAlone(view.filters, tab.dimension, value)}
                  onFilter={(value, exclude) =>
                    setFilters(toggleFilter(view.filters, tab.dimension, value, exclude ? 'is_not' : 'is'))
                  }
                  failedAlready={shown.state === 'failed' && drawn(shown) === undefined ? shown.code : undefined}
                  onRetry={retry}
                  onTab={(chosen) =>
                    change(
                      {
                        tabs:
                          tabKey(panel.tabs[0] as PanelTab) === chosen
                            ? without(view.tabs, panel.id)
                            : { ...view.tabs, [panel.id]: chosen },
                      },
                      true,
                    )
                  }
                  onAll={() => change({ all: panel.id, ...firstRows })}
                  {...(panel.id === 'places' ? { note: <PlaceCredit /> } : {})}
                  empty={
                    <EmptyPanel
                      tab={tab}
                      site={site.domain}
                      isNew={isNew}
                      visits={totalOf('visits')}
                      days={rangeText(frame.range, frame.today)}
                      filters={view.filters.length}
                      onClear={() => setFilters(view.filters.slice(0, -1))}
                    />
                  }
                />
              );
            })}
          </div>
        )}
        <p className="fresh">
          {shown.state === 'here' && (
            <span>
              All events until {clockText(countedUntil(shown.answer) ?? shown.at, site.timezone, undefined, true)} in{' '}
              {site.timezone} are counted
              {live.state === 'here' && live.now.spool_lag_ms >= lagShownMs
                ? `, but for those of the last ${milliseconds(live.now.spool_lag_ms)}, which wait on disk`
                : ''}
              .
            </span>
          )}
          {rebuilding > 0 && (
            <span role="status">
              {exactCount(rebuilding)} closed {rebuilding === 1 ? 'day is' : 'days are'} being counted again; their
              numbers can still move.
            </span>
          )}
          {revenueElsewhere(drawn(answers.total_revenue)).map(({ currency, events }) => (
            <span key={currency}>
              {exactCount(events)} {events === 1 ? 'event' : 'events'} with money in {currency}{' '}
              {events === 1 ? 'is' : 'are'} not in the revenue, which is in {site.currency}.
            </span>
          ))}
          {imported.length > 0 && (
            <span className="only-m">
              Imported: {imported.map(([from, to]) => rangeText({ from, to }, frame.today)).join(', ')}.
            </span>
          )}
          {/* After what comes with the numbers, and so not before it. */}
          {shown.state !== 'waiting' && <span>Places come from a database on this server; no address left it.</span>}
          {view.filters.length > 0 && (
            <span className="vh">Filtered: {view.filters.map((filter) => filterSentence(filter)).join(', ')}.</span>
          )}
        </p>
        <MarkedBar marking={marking} filters={view.filters} onFilters={setFilters} />
      </main>
    </Shell>
  );
}

/** Every row of the lists that is not filtered by already: what the palette offers as a filter without asking. */
function valuesSeen(view: View, answers: Record<string, Answer>) {
  return panels.flatMap((panel) => {
    const tab = tabOf(panel, view);
    const dimension = dimensionOf(tab.dimension);
    if (dimension === undefined) return [];
    const isOn = (value: string) =>
      view.filters.some((filter) => filter.dimension === dimension.key && filter.values.includes(value));
    return rowsOf(drawn(answers[listName(panel, tab)] as Answer), dimension)
      .filter(({ value }) => !isOn(value))
      .map(({ value, name }) => ({ dimension, value, name }));
  });
}

/** The numbers stay while the desk or its warehouse is away; this says of when they are, and moves none of them. */
function Away({ live, since }: { live: Live; since: string | undefined }) {
  return (
    <p className="note warn away" role="status">
      <b>{live.state === 'unreachable' ? 'This desk' : 'The warehouse'} does not answer.</b> The numbers are those of{' '}
      {since ?? 'the last answer'}
      {live.state === 'unreachable'
        ? '. The page goes on by itself when it does.'
        : '; events are safe on disk and will appear.'}
    </p>
  );
}

const nowMeans = 'Visitors with an event in the last five minutes';

/** How many are there, where that is known: without the warehouse nobody can be counted, which is not zero. */
function visitorsNow(live: Live): number | undefined {
  return live.state === 'here' && live.now.stores.warehouse ? live.now.visitors : undefined;
}

function Now({ live, site }: { live: Live; site: string }) {
  const known = visitorsNow(live);
  return (
    <Link
      className={`live only-d ${live.state === 'asking' ? 'unknown' : ''}`}
      href={pathOf({ page: 'realtime', site })}
      title={nowMeans}
    >
      <span className={`dot ${known === undefined ? 'idle' : 'ok'}`} />
      <span>
        <b>{known === undefined ? notApplicable : exactCount(known)}</b>
        <span className="roomy"> on the site</span> now
      </span>
    </Link>
  );
}

/** On a phone the bar has no room: period and live visitors are a row of their own. */
function PhoneRow({
  view,
  frame,
  firstDay,
  live,
  onChange,
}: {
  view: View;
  frame: Frame;
  firstDay: string;
  live: Live;
  onChange: (part: Partial<View>) => void;
}) {
  const [open, setOpen] = useState(false);
  const known = visitorsNow(live);
  return (
    <section className="mrow only-m" aria-label="Period and live visitors">
      <PeriodPicker
        phone
        view={view}
        frame={frame}
        firstDay={firstDay}
        open={open}
        onOpenChange={setOpen}
        onChange={onChange}
      />
      <span className={`btn flat ${live.state === 'asking' ? 'unknown' : ''}`} title={nowMeans}>
        <span className={`dot ${known === undefined ? 'idle' : 'ok'}`} />
        <span>
          <b>{known === undefined ? notApplicable : count(known)}</b> now
        </span>
      </span>
    </section>
  );
}

function without(tabs: Record<string, string>, panel: string): Record<string, string> {
  const { [panel]: _, ...rest } = tabs;
  return rest;
}
