import { plainCell } from '../../../contract/cells.ts';
import { type Archive, shown } from '../../platform/files/archive.ts';
import { refused } from '../../platform/files/refused.ts';
import type { Atom } from '../facts.ts';
import { channelOf } from '../ingest/channel.ts';
import { readCityNames } from './city_names.ts';
import { countIn, dayIn, readRecords } from './csv.ts';
import type { DayReading } from './day_import.ts';
import { columnText } from './foreign_names.ts';
import { type DayColumn, type DayKindName, type DayRow, dayKinds } from './kinds.ts';

/** How one table of the export is called there: its header → our column, or our number and what it is multiplied by. */
interface Table {
  readonly kind: DayKindName;
  readonly columns: { readonly [header: string]: DayColumn };
  readonly numbers: { readonly [header: string]: Atom | readonly [Atom, number] };
  /** Columns that say nothing that is not known from others. */
  readonly unused?: readonly string[];
}

const visitNumbers = {
  visitors: 'visitors',
  visits: 'visits',
  bounces: 'bounces',
  visit_duration: 'duration',
  pageviews: 'pageviews',
} as const;

/** The ten tables (docs of the product, "CSV export"); versions of it differ in single columns, so headers decide. */
const tables: { readonly [name: string]: Table } = {
  imported_visitors: { kind: 'visitors', columns: {}, numbers: visitNumbers },
  imported_sources: {
    kind: 'sources',
    columns: {
      source: 'source',
      referrer: 'referrer',
      utm_source: 'utm_source',
      utm_medium: 'utm_medium',
      utm_campaign: 'utm_campaign',
      utm_term: 'utm_term',
      utm_content: 'utm_content',
    },
    numbers: visitNumbers,
  },
  imported_pages: {
    kind: 'pages',
    columns: { hostname: 'hostname', page: 'pathname' },
    numbers: {
      visitors: 'visitors',
      visits: 'visits',
      pageviews: 'pageviews',
      total_scroll_depth: 'scroll',
      total_scroll_depth_visits: 'scroll_visits',
      total_time_on_page: ['engagement', 1_000],
      total_time_on_page_visits: 'engaged_visits',
    },
    // Exits are in the table of exit pages; the older time on page was measured from one page view to the next.
    unused: ['exits', 'time_on_page'],
  },
  imported_entry_pages: {
    kind: 'entry_pages',
    columns: { entry_page: 'entry_page' },
    numbers: { ...visitNumbers, entrances: 'visits' },
  },
  imported_exit_pages: {
    kind: 'exit_pages',
    columns: { exit_page: 'exit_page' },
    numbers: { ...visitNumbers, exits: 'visits' },
  },
  imported_custom_events: {
    kind: 'custom_events',
    columns: { name: 'name', link_url: 'link_url', path: 'link_path' },
    numbers: { visitors: 'visitors', events: 'events' },
  },
  imported_locations: {
    kind: 'locations',
    columns: { country: 'country', region: 'region', city: 'city' },
    numbers: visitNumbers,
  },
  imported_devices: { kind: 'devices', columns: { device: 'device' }, numbers: visitNumbers },
  imported_browsers: {
    kind: 'browsers',
    columns: { browser: 'browser', browser_version: 'browser_version' },
    numbers: visitNumbers,
  },
  imported_operating_systems: {
    kind: 'operating_systems',
    columns: { operating_system: 'os', operating_system_version: 'os_version' },
    numbers: visitNumbers,
  },
};

const memberName = /^(imported_[a-z_]+)_\d{8}_\d{8}\.csv$/;

/**
 * The rows of a Plausible archive. Members are known by their names and read where they lie; what has another name,
 * one with a way out of the folder among them, is listed as not understood and not opened.
 *
 * @throws RequestError when no member is one of the ten tables, two are the same, or one is damaged
 */
export async function* readPlausible(archive: Archive, domain: string): AsyncGenerator<DayReading> {
  const known = new Map<string, Archive['members'][number]>();
  for (const member of archive.members) {
    const name = tableOf(member.name);
    if (member.name.endsWith('/')) continue;
    if (name === undefined) {
      yield { ignored: shown(member.name) };
      continue;
    }
    if (known.has(name)) throw refused(`The archive has ${name} twice: import the exports one after another.`);
    known.set(name, member);
  }
  if (known.size === 0)
    throw refused('The archive has none of the ten tables imported_….csv: send the ZIP as Plausible exported it.');
  for (const [name, member] of known) {
    if (tables[name]?.kind !== 'locations') yield* readTable(name, member.read(), { domain });
    else {
      const places = await placesOf(name, member);
      yield* readTable(name, member.read(), { domain, places });
    }
  }
}

/**
 * Its cities are numbers of GeoNames and its regions codes of ISO 3166-2. Cities have names in a table of ours; a region's
 * name is the one in which most visits of its cities lie, which takes a first reading of the whole table.
 */
async function placesOf(name: string, member: Archive['members'][number]): Promise<PlaceNames> {
  const cities = readCityNames();
  const votes = new Map<string, Map<string, number>>();
  let at: { region: number; city: number; visitors: number } | undefined;
  for await (const { cells } of readRecords(member.read())) {
    if (cells === undefined) continue;
    if (at === undefined) {
      const headers = headersOf(cells);
      headerOf(name, tables[name] as Table, headers);
      at = {
        region: headers.indexOf('region'),
        city: headers.indexOf('city'),
        visitors: headers.indexOf('visitors'),
      };
      continue;
    }
    const code = cells[at.region] ?? '';
    const region = cities.get(cells[at.city] ?? '')?.region ?? '';
    if (code === '' || region === '') continue;
    const found = votes.get(code) ?? new Map<string, number>();
    found.set(region, (found.get(region) ?? 0) + (countIn(cells[at.visitors] ?? '') ?? 0));
    if (votes.size < regionsMax || votes.has(code)) votes.set(code, found);
  }
  const regions = new Map([...votes].map(([code, found]) => [code, most(found)] as const));
  return {
    city: (id) => cities.get(id)?.city ?? '',
    region: (code) => regions.get(code) ?? code,
  };
}

/** ISO 3166-2 has about 5,000 of them; a file that has more is not one of places. */
const regionsMax = 10_000;

interface PlaceNames {
  /** The name of a number of GeoNames; '' where it has none here. */
  city(id: string): string;
  region(code: string): string;
}

interface Reading {
  domain: string;
  places?: PlaceNames;
}

function most(votes: ReadonlyMap<string, number>): string {
  return [...votes].reduce((best, one) => (one[1] > best[1] ? one : best))[0];
}

function headersOf(cells: readonly string[]): string[] {
  return cells.map((cell) => cell.trim().toLowerCase());
}

function tableOf(memberName_: string): string | undefined {
  if (memberName_.includes('\\') || memberName_.split('/').some((part) => part === '..' || part === '__MACOSX'))
    return undefined;
  if (memberName_.startsWith('/')) return undefined;
  const [, name] = memberName.exec(memberName_.slice(memberName_.lastIndexOf('/') + 1)) ?? [];
  return name !== undefined && Object.hasOwn(tables, name) ? name : undefined;
}

async function* readTable(name: string, bytes: AsyncIterable<Buffer>, reading: Reading): AsyncGenerator<DayReading> {
  const table = tables[name] as Table;
  let header: Header | undefined;
  for await (const { line, cells } of readRecords(bytes)) {
    const at = `${name}:${line}`;
    if (header === undefined) {
      header = headerOf(name, table, headersOf(cells ?? []));
      yield { kind: table.kind, atoms: header.atoms };
      for (const column of header.ignored) yield { ignored: `${name}.${column}` };
      continue;
    }
    yield cells === undefined
      ? { stopped: 'line_too_long', at }
      : rowOf(cells, header, { ...reading, kind: table.kind }, at);
  }
}

interface Header {
  width: number;
  day: number;
  columns: readonly (readonly [DayColumn, number])[];
  numbers: readonly (readonly [Atom, number, number])[];
  atoms: readonly Atom[];
  ignored: readonly string[];
}

function headerOf(name: string, table: Table, headers: readonly string[]): Header {
  const day = headers.indexOf('date');
  const columns = Object.entries(table.columns).map(([header, column]) => [column, headers.indexOf(header)] as const);
  const numbers = Object.entries(table.numbers).flatMap(([header, number]) => {
    const [atom, times] = typeof number === 'string' ? [number, 1] : number;
    const at = headers.indexOf(header);
    return at < 0 ? [] : [[atom, at, times] as const];
  });
  const main = columns[0];
  if (day < 0 || (main !== undefined && main[1] < 0) || !numbers.some(([atom]) => atom === 'visitors'))
    throw refused(
      `${name} has other columns than Plausible exports (date, ${Object.keys(table.columns)[0] ?? ''}${main === undefined ? '' : ', '}visitors, …): send the table as it was exported.`,
    );
  const used = new Set(['date', ...Object.keys(table.columns), ...Object.keys(table.numbers)]);
  const found = new Set<Atom>(numbers.map(([atom]) => atom));
  // Where nothing but page views is exported, they are the events.
  if (found.has('pageviews')) found.add('events');
  return {
    width: headers.length,
    day,
    columns: columns.filter(([, at]) => at >= 0),
    numbers,
    atoms: dayKinds[table.kind].atoms.filter((atom) => found.has(atom)),
    ignored: headers.filter((header) => !used.has(header)),
  };
}

function rowOf(
  cells: readonly string[],
  header: Header,
  { kind, domain, places }: Reading & { kind: DayKindName },
  at: string,
): DayReading {
  if (cells.length !== header.width) return { stopped: 'wrong_columns', at };
  const day = dayIn(cells[header.day] ?? '');
  if (day === undefined) return { stopped: 'no_day', at };
  const numbers: { [Name in Atom]?: number } = {};
  for (const [atom, index, times] of header.numbers) {
    const count = countIn(cells[index] ?? '');
    if (count === undefined) return { stopped: 'no_number', at };
    numbers[atom] = (numbers[atom] ?? 0) + count * times;
  }
  if (numbers.pageviews !== undefined && kind !== 'custom_events') numbers.events = numbers.pageviews;
  const columns: { [Column in DayColumn]?: string } = {};
  for (const [column, index] of header.columns) {
    const cell = plainCell(cells[index] ?? '');
    const text =
      places !== undefined && (column === 'city' || column === 'region')
        ? places[column](cell)
        : textOf(column, cell, domain);
    if (text !== '') columns[column] = text;
  }
  if (kind === 'sources')
    columns.channel = channelOf({
      source: columns.source ?? '',
      utm_source: columns.utm_source ?? '',
      utm_medium: columns.utm_medium ?? '',
      utm_campaign: columns.utm_campaign ?? '',
      click_id: '',
    });
  return { row: { kind, day, columns, numbers } satisfies DayRow };
}

function textOf(column: DayColumn, cell: string, domain: string): string {
  return column === 'source' && cell === 'Direct / None' ? '' : columnText(column, cell, domain);
}
