import type { MetricName, QueryAnswer } from '../../../contract/query.ts';
import { type SharePanel, type SharePeriod, sharePeriods } from '../../../contract/shares.ts';
import {
  type Cell,
  cellNumber,
  cellOf,
  changeOf,
  countryName,
  exactCount,
  htmlText,
  metricLabels,
  metricText,
  percent,
  rangeText,
} from '../figures.ts';
import { chartOf, chartTable } from './chart.ts';
import { type Frame, periodLabels } from './period.ts';
import { isList, type ListPanel, listPanels, listRowsMax, type QuestionName, totalMetrics } from './questions.ts';

/** What a page of a share is made of. */
export interface SharedView {
  domain: string;
  timezone: string;
  /** What its owners call the share. */
  name: string;
  panels: readonly SharePanel[];
  periods: readonly SharePeriod[];
  period: SharePeriod;
  frame: Frame;
  /** The first day of the site; the days before it are no zeros, and nothing is compared with them. */
  measuredFrom: string;
  answers: ReadonlyMap<QuestionName, QueryAnswer>;
  theme?: 'light' | 'dark' | undefined;
  /** Who answers for the page, a line each; empty while nobody has said who they are. */
  answering: readonly string[];
  /** The legal name of the organisation, for the one line that a widget has room for. */
  legalName: string | null;
  /** What links to other periods carry besides; empty, or ending in `&`. */
  linkQuery: string;
}

/** The page of a share: no script, no cookie, nothing from elsewhere. Periods are links. */
export function sharePage(view: SharedView): string {
  const { domain, name, frame, panels } = view;
  const lists = panels.filter(isList);
  return documentOf({
    title: `${domain} · ${name}`,
    theme: view.theme,
    body: `<header class="bar"><div class="who"><span class="tile" aria-hidden="true">${htmlText(domain.slice(0, 1).toUpperCase())}</span><h1>${htmlText(domain)}</h1><p>${htmlText(name)}</p></div>
${periodLinks(view)}</header>
<p class="facts"><span>${rangeText(frame.range)}</span><span>${htmlText(view.timezone)}</span></p>
<main>
${isEmpty(view) ? nothingYet(view) : ''}${totalsPanel(view)}
${lists.length === 0 ? '' : `<div class="lists">${lists.map((panel) => listPanel(view, panel)).join('\n')}</div>`}
</main>
${foot(view.answering)}`,
  });
}

/** The same in the small: totals and the course, for a frame inside another page. */
export function widgetPage(view: SharedView): string {
  const { domain, frame, legalName } = view;
  return documentOf({
    title: `${domain} · Fairlead`,
    theme: view.theme,
    widget: true,
    body: `<main class="widget"><header><h1>${htmlText(domain)}</h1><p>${rangeText(frame.range)}</p></header>
${tiles(view)}${course(view, 'widget')}
<footer>${htmlText(countedFor(legalName))}</footer></main>`,
  });
}

function countedFor(legalName: string | null): string {
  const counted = 'Counted without cookies by Fairlead';
  // The name first: in a narrow frame the line is cut at its end.
  return legalName === null ? counted : `${legalName} · ${counted}`;
}

/**
 * A page that asks for the word.
 * @param answering who runs the desk: before the password is given the page does not tell whose numbers it has
 * @param problem what was wrong with the last one
 */
export function passwordPage(answering: readonly string[], problem?: string): string {
  return documentOf({
    title: 'A password is needed · Fairlead',
    body: `<main class="alone"><form class="panel ask" method="post"><h1>This page has a password</h1>
<p>Whoever sent you the link can tell it to you.</p>
<div class="field"><label for="password">Password</label>
${problem === undefined ? '' : `<p class="error" id="problem" role="alert">${htmlText(problem)}</p>`}
<input class="in" id="password" name="password" type="password" autocomplete="off" required maxlength="200" autofocus${problem === undefined ? '' : ' aria-invalid="true" aria-describedby="problem"'}></div>
<button class="btn" type="submit">Open the page</button>
<p class="q">It stays open in this browser for 12 hours. For that one cookie is set, and it is for this page alone.</p></form></main>
${answeringFoot(answering)}`,
  });
}

/** What stands where there are no numbers: a fact, a reason, a step. */
export function plainPage(
  title: string,
  words: string,
  more: { answering?: readonly string[]; widget?: boolean; theme?: 'light' | 'dark' | undefined },
): string {
  const { answering = [], widget = false, theme } = more;
  return documentOf({
    title: `${title} · Fairlead`,
    theme,
    widget,
    body: `<main class="alone"><div class="panel hush"><h1>${htmlText(title)}</h1><p>${htmlText(words)}</p></div></main>${widget ? '' : `\n${answeringFoot(answering)}`}`,
  });
}

function documentOf(page: {
  title: string;
  body: string;
  theme?: 'light' | 'dark' | undefined;
  widget?: boolean;
}): string {
  return `<!doctype html>
<html lang="en"${page.theme === undefined ? '' : ` data-theme="${page.theme}"`}${page.widget === true ? ' class="in-frame"' : ''}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<meta name="color-scheme" content="light dark">
<title>${htmlText(page.title)}</title>
<link rel="stylesheet" href="/share/assets/style.css">
</head>
<body>
${page.body}
</body>
</html>
`;
}

function foot(answering: readonly string[]): string {
  return `<footer class="foot"><p>Counted by Fairlead, without cookies and without following anyone from one day to the next.</p>${linesOf(answering)}</footer>`;
}

function answeringFoot(answering: readonly string[]): string {
  return answering.length === 0 ? '' : `<footer class="foot">${linesOf(answering)}</footer>`;
}

const linesOf = (answering: readonly string[]) => answering.map((line) => `<p>${htmlText(line)}</p>`).join('');

function periodLinks({ periods, period, linkQuery }: SharedView): string {
  if (periods.length < 2) return '';
  return `<nav class="seg" aria-label="Period">${sharePeriods
    .filter((one) => periods.includes(one))
    .map(
      (one) =>
        `<a href="?${htmlText(linkQuery)}period=${one}"${one === period ? ' aria-current="true"' : ''}>${htmlText(periodLabels[one])}</a>`,
    )
    .join('')}</nav>`;
}

function isEmpty({ answers, panels }: SharedView): boolean {
  const totals = answers.get('totals')?.results[0]?.metrics[0];
  if (totals !== undefined) return cellNumber(totals as Cell) === 0;
  return panels.every((panel) => (answers.get(panel)?.results.length ?? 0) === 0);
}

function nothingYet({ frame, measuredFrom, periods, period }: SharedView): string {
  const more = periods.length > 1 ? ' Another period may have some.' : '';
  return `<p class="note" role="status"><b>No visits ${period === 'today' ? 'yet today' : 'in this period'}.</b> ${
    measuredFrom > frame.range.from
      ? `This site has been measured since ${rangeText({ from: measuredFrom, to: measuredFrom })}.`
      : `Nobody came between the dates above.${more}`
  }</p>\n`;
}

function totalsPanel(view: SharedView): string {
  const shown = tiles(view);
  const chart = course(view, 'page');
  if (shown === '' && chart === '') return '';
  return `<section class="panel totals" aria-label="Totals">${shown}${chart}</section>`;
}

interface Tile {
  label: string;
  text: string;
  change: string;
}

function tiles(view: SharedView): string {
  const { panels, answers } = view;
  const all: Tile[] = [];
  const compared = view.measuredFrom <= view.frame.before.from;
  const totals = answers.get('totals');
  const changeText = (metric: MetricName, after?: Cell, before?: Cell, base?: number | null) =>
    compared ? changeMark(changeOf(metric, after, before, base)) : '';
  if (panels.includes('totals') && totals !== undefined) {
    const row = totals.results[0];
    const after = (row?.metrics ?? []) as Cell[];
    const before = (row?.comparison?.metrics ?? []) as Cell[];
    for (const metric of totalMetrics) {
      const now = cellOf(totalMetrics, after, metric);
      const was = cellOf(totalMetrics, before, metric);
      const base = metric === 'bounce_rate' || metric === 'visit_duration' ? cellNumber(before[1]) : undefined;
      all.push({
        label: metricLabels[metric] ?? metric,
        text: metricText(metric, now),
        change: changeText(metric, now, was, base),
      });
    }
  }
  if (panels.includes('revenue')) {
    const [orders, revenue] = [answers.get('orders')?.results[0], answers.get('revenue')?.results[0]];
    const ordersBefore = cellNumber(orders?.comparison?.metrics[0] as Cell | undefined);
    all.push({
      label: 'Orders',
      text: metricText('events', (orders?.metrics[0] ?? 0) as Cell),
      change: changeText('events', orders?.metrics[0] as Cell, orders?.comparison?.metrics[0] as Cell),
    });
    all.push({
      label: 'Revenue',
      text: metricText('total_revenue', revenue?.metrics[0] as Cell),
      change: changeText(
        'total_revenue',
        revenue?.metrics[0] as Cell,
        revenue?.comparison?.metrics[0] as Cell,
        ordersBefore === 0 ? undefined : ordersBefore,
      ),
    });
  }
  if (all.length === 0) return '';
  return `<dl class="ks n${all.length}">${all
    .map(
      ({ label, text, change }) =>
        `<div class="k"><dt>${htmlText(label)}</dt><dd class="kv">${htmlText(text)}</dd><dd class="dl">${change === '' ? '<span aria-hidden="true">–</span>' : change}</dd></div>`,
    )
    .join('')}</dl>`;
}

function changeMark(change: ReturnType<typeof changeOf>): string {
  if (change === undefined) return '';
  const kind = change.good === null ? '' : change.good ? ' class="pos"' : ' class="neg"';
  const mark =
    change.direction === 'flat'
      ? ''
      : `<svg${kind} width="8" height="8" viewBox="0 0 8 8" aria-hidden="true"><path d="${change.direction === 'up' ? 'M4 1 7.5 7H.5z' : 'M4 7 .5 1h7z'}"/></svg>`;
  return `${mark}<span>${htmlText(change.text)}</span>`;
}

function course(view: SharedView, size: 'page' | 'widget'): string {
  const { frame, answers, measuredFrom } = view;
  const series = answers.get('series');
  if (series === undefined) return '';
  const compared = measuredFrom <= frame.before.from;
  const before = compared ? answers.get('before') : undefined;
  const legend =
    size === 'widget'
      ? ''
      : `<p class="leg"><span><i class="sw"></i>Visitors, ${rangeText(frame.range)}</span>${
          before === undefined ? '' : `<span><i class="sw p"></i>${rangeText(frame.before)}</span>`
        }</p>`;
  return `<div class="ch">${legend}${chartOf(frame, { series, before }, measuredFrom, size)}${
    size === 'widget' ? '' : chartTable(frame, { series, before }, measuredFrom)
  }</div>`;
}

function listPanel(view: SharedView, panel: keyof typeof listPanels): string {
  const list = listPanels[panel];
  const answer = view.answers.get(panel);
  const rows = answer?.results ?? [];
  const whole =
    list.shareOf === undefined
      ? undefined
      : cellNumber(
          view.answers.get('totals')?.results[0]?.metrics[totalMetrics.indexOf(list.shareOf as 'visitors')] as Cell,
        );
  const all = Number(answer?.meta.total_rows ?? rows.length);
  const body =
    rows.length === 0
      ? `<p class="none">Nothing in this period.</p>`
      : `<table class="bars"><thead><tr><th scope="col">${htmlText(list.head)}</th>${list.heads
          .map(
            (head, index) =>
              `<th scope="col" class="num${index === 1 && list.heads.length > 2 ? ' wide' : ''}">${htmlText(head)}</th>`,
          )
          .join('')}${list.shareOf === undefined ? '' : '<th scope="col" class="num">Share</th>'}</tr></thead><tbody>
${rows.map((row) => listRow(list, row, rows, whole)).join('\n')}
</tbody></table>`;
  return `<section class="panel${list.wide === true ? ' w' : ''}" aria-label="${htmlText(list.title)}"><header><h2>${htmlText(list.title)}</h2></header>
${body}${all > listRowsMax ? `<footer>${listRowsMax} of ${exactCount(all)}</footer>` : ''}</section>`;
}

function listRow(
  list: ListPanel,
  row: QueryAnswer['results'][number],
  rows: QueryAnswer['results'],
  whole: number | null | undefined,
): string {
  const value = row.dimensions[0] ?? null;
  const first = cellNumber(row.metrics[0] as Cell) ?? 0;
  const longest = Math.max(1, ...rows.map((one) => cellNumber(one.metrics[0] as Cell) ?? 0));
  const name =
    value === null || value === '' || value === '(not set)'
      ? list.empty
      : list.dimension === 'visit:country'
        ? countryName(value)
        : value;
  const cells = list.metrics
    .map(
      (metric, index) =>
        `<td class="num${index === 1 && list.metrics.length > 2 ? ' wide' : ''}">${htmlText(metricText(metric, cellOf(list.metrics, row.metrics as Cell[], metric)))}</td>`,
    )
    .join('');
  const share =
    list.shareOf === undefined
      ? ''
      : `<td class="num q">${whole === null || whole === undefined || whole === 0 ? '–' : percent((first / whole) * 100)}</td>`;
  // A bar is a drawing: the policy of the page allows no style of an element.
  const bar = `<svg class="b" aria-hidden="true"><rect width="${Math.round((first / longest) * 9_200) / 100}%" height="100%" rx="4"/></svg>`;
  return `<tr><th scope="row" title="${htmlText(name)}">${bar}${list.head === 'Page' ? cutPath(name) : `<span>${htmlText(name)}</span>`}</th>${cells}${share}</tr>`;
}

/** Of a longer end of a path the beginning is cut, so that its head keeps some room. */
const tailCharsMax = 20;
const wholeCharsMax = 14;

/** Paths differ at their ends: a long one is cut in its middle, as on the pages of the desk. */
function cutPath(path: string): string {
  const characters = [...path];
  if (characters.length <= wholeCharsMax) return `<span>${htmlText(path)}</span>`;
  const cut = Math.max(characters.lastIndexOf('/', characters.length - 2), characters.length - tailCharsMax);
  const [head, tail] = [characters.slice(0, cut).join(''), characters.slice(cut).join('')];
  return `<span class="path"><span dir="ltr">${htmlText(head)}</span><span class="tail"><bdi dir="ltr">${htmlText(tail)}</bdi></span></span>`;
}
