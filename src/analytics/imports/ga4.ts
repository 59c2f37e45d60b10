import { plainCell } from '../../../contract/cells.ts';
import { refused } from '../../platform/files/refused.ts';
import type { Atom } from '../facts.ts';
import { channelOf } from '../ingest/channel.ts';
import { knownByHost, knownByWord } from '../ingest/known_sources.ts';
import { readRecords } from './csv.ts';
import type { DayReading } from './day_import.ts';
import { columnText } from './foreign_names.ts';
import { decimalIn, ga4Day, groupedCount } from './ga4_cells.ts';
import { type DayColumn, type DayKind, type DayKindName, dayKinds } from './kinds.ts';

/**
 * A table of GA4's explorer, downloaded as CSV: lines with `#` in front, one line of headers, a line of totals, then
 * rows. Which table it is follows from its dimensions; a day is one of them, or the numbers have no place here.
 *
 * | GA4                                              | here |
 * |--------------------------------------------------|------|
 * | Date                                             | day |
 * | Page path and screen class, Hostname             | pages |
 * | Landing page, Session source / medium, …         | entry pages, sources |
 * | Active users, Total users                        | visitors |
 * | Sessions, Engaged sessions                       | visits, bounces (those that were not engaged) |
 * | Views, Event count                               | page views, events |
 */
type Dimension = { kind: DayKindName; columns: readonly DayColumn[] };

const dimensions: { readonly [header: string]: Dimension } = {
  'page path': { kind: 'pages', columns: ['pathname'] },
  'page path and screen class': { kind: 'pages', columns: ['pathname'] },
  'page path + query string': { kind: 'pages', columns: ['pathname'] },
  'page path + query string and screen class': { kind: 'pages', columns: ['pathname'] },
  hostname: { kind: 'pages', columns: ['hostname'] },
  'landing page': { kind: 'entry_pages', columns: ['entry_page'] },
  'landing page + query string': { kind: 'entry_pages', columns: ['entry_page'] },
  'session source': { kind: 'sources', columns: ['source'] },
  'session medium': { kind: 'sources', columns: ['utm_medium'] },
  'session source / medium': { kind: 'sources', columns: ['source', 'utm_medium'] },
  'session campaign': { kind: 'sources', columns: ['utm_campaign'] },
  'session manual term': { kind: 'sources', columns: ['utm_term'] },
  'session manual ad content': { kind: 'sources', columns: ['utm_content'] },
  'page referrer': { kind: 'sources', columns: ['referrer'] },
  'country id': { kind: 'locations', columns: ['country'] },
  country: { kind: 'locations', columns: ['country'] },
  region: { kind: 'locations', columns: ['region'] },
  city: { kind: 'locations', columns: ['city'] },
  'device category': { kind: 'devices', columns: ['device'] },
  browser: { kind: 'browsers', columns: ['browser'] },
  'browser version': { kind: 'browsers', columns: ['browser_version'] },
  'operating system': { kind: 'operating_systems', columns: ['os'] },
  'operating system version': { kind: 'operating_systems', columns: ['os_version'] },
  'os version': { kind: 'operating_systems', columns: ['os_version'] },
  'event name': { kind: 'custom_events', columns: ['name'] },
};

/** Each of them counts a visitor of a day, or a whole day, more than once. */
const splitting = new Set([
  'segment',
  'segments',
  'comparison',
  'date range',
  'hour',
  'minute',
  'nth hour',
  'nth minute',
]);

type Measure =
  | 'visitors'
  | 'sessions'
  | 'engaged'
  | 'engagement_rate'
  | 'bounce_rate'
  | 'mean_duration'
  | 'views'
  | 'events';

const measures: { readonly [header: string]: Measure } = {
  'active users': 'visitors',
  'total users': 'visitors',
  sessions: 'sessions',
  'engaged sessions': 'engaged',
  'engagement rate': 'engagement_rate',
  'bounce rate': 'bounce_rate',
  'average session duration': 'mean_duration',
  views: 'views',
  'event count': 'events',
};

/** Events that GA4 makes by itself of what is a visit or a page view here. */
const ownEvents = new Set([
  'page_view',
  'session_start',
  'first_visit',
  'user_engagement',
  'first_open',
  'screen_view',
]);

/** @throws RequestError when the file has no headers that are known, no day, or dimensions of two tables */
export async function* readGa4(bytes: AsyncIterable<Buffer>, domain: string): AsyncGenerator<DayReading> {
  let table: Table | undefined;
  for await (const { line, cells } of readRecords(bytes)) {
    if (cells !== undefined && isRemark(cells, table)) continue;
    if (table === undefined) {
      table = tableOf(cells ?? []);
      yield { kind: table.kind, atoms: table.atoms };
      for (const header of table.ignored) yield { ignored: header };
      continue;
    }
    yield cells === undefined ? { stopped: 'line_too_long', at: `${line}` } : rowOf(cells, table, domain, `${line}`);
  }
  if (table === undefined) throw refused('The file has no line of headers: download the exploration as CSV again.');
}

/** Lines about the file stand before the headers; behind them a cell may begin with `#` and is one. */
function isRemark(cells: readonly string[], table: Table | undefined): boolean {
  if (cells.every((cell) => cell.trim() === '')) return true;
  return cells[0]?.startsWith('#') === true && (table === undefined || (cells.length === 1 && table.width > 1));
}

interface Table {
  kind: DayKindName;
  width: number;
  day: number;
  columns: readonly { columns: readonly DayColumn[]; at: number }[];
  measures: ReadonlyMap<Measure, number>;
  atoms: readonly Atom[];
  ignored: readonly string[];
}

function tableOf(cells: readonly string[]): Table {
  const headers = cells.map((cell) => cell.trim().toLowerCase());
  if (headers.length === 1 && /[;\t]/.test(headers[0] ?? ''))
    throw refused('The cells of the table are not separated by commas: download the exploration as CSV again.');
  const day = headers.indexOf('date');
  if (day < 0)
    throw refused(
      'The table has no column "Date": add it as a dimension of the exploration, with Google Analytics in English, and download it again.',
    );
  const split = headers.findIndex((header) => splitting.has(header));
  if (split >= 0)
    throw refused(
      `The table has a column "${cells[split]?.trim()}", by which the same visitors are counted more than once: take it out of the exploration and download it again.`,
    );
  const found = headers.flatMap((header, at) => {
    const dimension = Object.hasOwn(dimensions, header) ? dimensions[header] : undefined;
    return dimension === undefined ? [] : [{ ...dimension, at }];
  });
  const kinds = [...new Set(found.map((dimension) => dimension.kind))];
  if (kinds.length > 1)
    throw refused(
      `The table joins two things (${kinds.join(', ')}), which are kept apart here: download one exploration for each.`,
    );
  const kind = kinds[0] ?? 'visitors';
  const known = new Map<Measure, number>();
  headers.forEach((header, at) => {
    const measure = Object.hasOwn(measures, header) ? measures[header] : undefined;
    // "Active users" and "Total users" may both be there: the first is what reports show.
    if (measure !== undefined && !known.has(measure)) known.set(measure, at);
  });
  if (!known.has('visitors'))
    throw refused('The table has no column "Active users": add it as a metric of the exploration.');
  const kindAtoms: DayKind['atoms'] = dayKinds[kind].atoms;
  const used = new Set([day, ...found.map(({ at }) => at), ...known.values()]);
  return {
    kind,
    width: headers.length,
    day,
    columns: found,
    measures: known,
    atoms: kindAtoms.filter((atom) => atomsFrom(known, kind).has(atom)),
    ignored: cells.filter((_, at) => !used.has(at)).map((cell) => cell.trim()),
  };
}

function atomsFrom(known: ReadonlyMap<Measure, number>, kind: DayKindName): Set<Atom> {
  const atoms = new Set<Atom>(['visitors']);
  if (known.has('sessions')) {
    atoms.add('visits');
    if (known.has('engaged') || known.has('engagement_rate') || known.has('bounce_rate')) atoms.add('bounces');
    if (known.has('mean_duration')) atoms.add('duration');
  }
  // GA4 counts visits and attention among its events; the tables of visits have page views for them.
  if (known.has('views')) atoms.add('pageviews').add('events');
  if (kind === 'custom_events' && known.has('events')) atoms.add('events');
  return atoms;
}

function rowOf(cells: readonly string[], table: Table, domain: string, at: string): DayReading {
  const day = ga4Day(cells[table.day] ?? '');
  if (day === undefined && isTotal(cells, table)) return { stopped: 'totals', at };
  if (cells.length !== table.width) return { stopped: 'wrong_columns', at };
  if (day === undefined) return { stopped: 'no_day', at };
  const numbers = numbersOf(cells, table);
  if (numbers === undefined) return { stopped: 'no_number', at };
  const columns: { [Column in DayColumn]?: string } = {};
  for (const { columns: names, at: index } of table.columns) {
    const cell = plainCell(cells[index] ?? '').trim();
    const parts = names.length === 2 ? cell.split(' / ') : [cell];
    names.forEach((name, number) => {
      const text = textOf(name, parts[number] ?? '', domain);
      if (text !== '') columns[name] = text;
    });
  }
  if (table.kind === 'custom_events' && ownEvents.has(columns.name ?? '')) return { stopped: 'not_an_event', at };
  if (table.kind === 'sources') nameSource(columns);
  return { row: { kind: table.kind, day, columns, numbers } };
}

/** The line that adds up the others has no day, and nothing or "Grand total" in its other dimensions. */
function isTotal(cells: readonly string[], table: Table): boolean {
  const texts = [table.day, ...table.columns.map(({ at }) => at)].map((at) => (cells[at] ?? '').trim());
  return cells.some((cell) => /^(grand )?totals?$/i.test(cell.trim())) || texts.every((text) => text === '');
}

function numbersOf(cells: readonly string[], { measures: known, atoms, kind }: Table) {
  const numbers: { [Name in Atom]?: number } = {};
  const cellOf = (measure: Measure) => {
    const at = known.get(measure);
    return at === undefined ? undefined : (cells[at] ?? '');
  };
  const count = (measure: Measure) => groupedCount(cellOf(measure) ?? '');
  const rate = (measure: Measure) => decimalIn(cellOf(measure) ?? '');
  const visits = count('sessions');
  for (const atom of atoms) {
    const value = numberOf(atom);
    if (value === undefined) return undefined;
    numbers[atom] = value;
  }
  return numbers;

  function numberOf(atom: Atom): number | undefined {
    switch (atom) {
      case 'visitors':
        return count('visitors');
      case 'visits':
        return visits;
      case 'pageviews':
        return count('views');
      case 'events':
        return kind === 'custom_events' ? count('events') : count('views');
      case 'bounces': {
        if (visits === undefined) return undefined;
        if (known.has('engaged')) {
          const engaged = count('engaged');
          return engaged === undefined ? undefined : Math.max(0, visits - engaged);
        }
        const share = rate(known.has('engagement_rate') ? 'engagement_rate' : 'bounce_rate');
        if (share === undefined || share > 1) return undefined;
        return Math.round(visits * (known.has('engagement_rate') ? 1 - share : share));
      }
      case 'duration': {
        const mean = rate('mean_duration');
        return visits === undefined || mean === undefined ? undefined : Math.round(visits * mean);
      }
      default:
        return undefined;
    }
  }
}

/** What GA4 writes where there is no source, medium, campaign or term; `(other)` is a sum of many, and stays. */
const nothing = new Set(['(not set)', '(none)', '(direct)', '(organic)', '(referral)', '(not provided)']);

function textOf(column: DayColumn, cell: string, domain: string): string {
  return nothing.has(cell) ? '' : columnText(column, cell, domain);
}

/** GA4 writes `google`; here the source is called Google, and `organic` is no tag of a campaign. */
function nameSource(columns: { [Column in DayColumn]?: string }): void {
  const word = columns.source ?? '';
  // What GA4 calls the medium of a visit that no tag names.
  if (columns.utm_medium === 'organic' || columns.utm_medium === 'referral') delete columns.utm_medium;
  const known = word === '' ? undefined : (knownByHost(word) ?? knownByWord(word));
  if (known !== undefined) columns.source = known.name;
  columns.channel = channelOf({
    source: columns.source ?? '',
    utm_source: word,
    utm_medium: columns.utm_medium ?? '',
    utm_campaign: columns.utm_campaign ?? '',
    click_id: '',
  });
}
