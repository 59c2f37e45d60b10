import type { MailBlock, MailTemplate } from '../../platform/mail/index.ts';
import { dayMs, utcDay } from '../../platform/zone.ts';
import { exactCount, rangeText, weekdayText } from '../figures.ts';
import type { ReportContent } from './content.ts';
import { drawCourse, pictureSize } from './picture.ts';

export interface ReportLetter {
  content: ReportContent;
  /** The overview of exactly these days. */
  overview: string;
  /** Where the reader chooses what comes. */
  settings: string;
}

/** The weekly or monthly report of a site. Each reader asked for it, and one click ends it. */
export const reportMail: MailTemplate<ReportLetter> = {
  name: 'report',
  kind: 'report',
  write: ({ content, overview, settings }) => ({
    subject: subjectOf(content),
    blocks: blocksOf(content, overview, settings),
  }),
};

function subjectOf({ domain, due, visitors, locale }: ReportContent): string {
  const what = due.kind === 'weekly' ? 'week' : 'month';
  return visitors === 0
    ? `${domain}: a ${what} without visits`
    : `${domain}: ${exactCount(visitors, locale)} ${visitors === 1 ? 'visitor' : 'visitors'} in the ${what}`;
}

function blocksOf(content: ReportContent, overview: string, settings: string): MailBlock[] {
  const { due, figures, timezone, lists, visitors, locale } = content;
  const days = rangeText(due.range, locale);
  const foot: MailBlock = {
    kind: 'note',
    text: `Days are those of ${timezone}. What you get about this site is yours to choose.`,
    link: { label: 'Choose reports', href: settings },
  };
  if (visitors === 0)
    return [
      { kind: 'text', text: `${days}: nobody visited ${content.domain}, or nothing was counted.` },
      { kind: 'button', label: 'Look at the site', href: overview },
      foot,
    ];
  return [
    { kind: 'text', text: `${days}, against ${rangeText(due.before, locale)}.` },
    {
      kind: 'picture',
      png: drawCourse(content.days),
      words: pictureText(content),
      width: pictureSize.shownWidth,
      height: pictureSize.shownHeight,
    },
    {
      kind: 'table',
      heads: ['', due.kind === 'weekly' ? 'Week' : 'Month', 'Change'],
      rows: figures.map(({ label, text, change }) => [label, text, change]),
    },
    ...lists
      .filter(({ rows }) => rows.length > 0)
      .map(
        ({ title, head, rows }): MailBlock => ({
          kind: 'table',
          heads: [title, head],
          rows: rows.map(({ name, text }) => [name, text]),
        }),
      ),
    { kind: 'button', label: 'Open these days', href: overview },
    foot,
  ];
}

/** What the picture shows, in words: the highest day. */
function pictureText({ days, due, locale }: ReportContent): string {
  const most = Math.max(...days);
  const day = utcDay(Date.parse(due.range.from) + days.indexOf(most) * dayMs);
  const words = weekdayText(day, locale);
  // Some languages shorten a month with a full stop of its own.
  return `Visitors by day. The most were ${exactCount(most, locale)} on ${words}${words.endsWith('.') ? '' : '.'}`;
}
