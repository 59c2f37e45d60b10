import { plainCell } from '../../../contract/cells.ts';
import { type Archive, shown } from '../../platform/files/archive.ts';
import { refused } from '../../platform/files/refused.ts';
import type { Agent } from '../ingest/agent.ts';
import { readData } from '../ingest/dropin/umami.ts';
import { pageAddress, readOurWords } from '../ingest/dropin/words.ts';
import type { Place } from '../ingest/place.ts';
import type { SiteRecord } from '../sites.ts';
import { type Record as CsvRecord, dayIn, readRecords } from './csv.ts';
import type { ReadRow } from './events.ts';
import { countryCode, namedAgent } from './foreign_names.ts';
import { nameText } from './texts.ts';

/**
 * The tables of Umami as CSV: `website_event`, and from an installation of one's own `session` (who the event was of)
 * and `event_data` (its properties); the cloud's export has the columns of `session` on each event. Sessions become
 * visitors of a day as everywhere: their ids are hashed under a salt that nobody keeps.
 */
export interface UmamiTables {
  events: AsyncIterable<Buffer>;
  sessions?: AsyncIterable<Buffer>;
  data?: AsyncIterable<Buffer>;
}

const tables = { website_event: 'events', session: 'sessions', event_data: 'data' } as const;

/** The members of an archive by what they are called; others are named by `ignored`. */
export function umamiTablesIn(archive: Archive, ignored: (name: string) => void): UmamiTables {
  const found: Partial<Record<keyof UmamiTables, AsyncIterable<Buffer>>> = {};
  for (const member of archive.members) {
    const name = /^([a-z_]+)\.csv$/.exec(member.name.slice(member.name.lastIndexOf('/') + 1))?.[1] ?? '';
    const table = Object.hasOwn(tables, name) ? tables[name as keyof typeof tables] : undefined;
    if (member.name.endsWith('/')) continue;
    if (table === undefined || /(^|[/\\])(\.\.|__MACOSX)([/\\]|$)/.test(member.name)) ignored(shown(member.name));
    else if (found[table] !== undefined) throw refused(`The archive has ${name}.csv twice: leave one of them out.`);
    else found[table] = member.read();
  }
  if (found.events === undefined)
    throw refused('The archive has no website_event.csv: pack the tables of Umami as CSV, each under its name.');
  return found as UmamiTables;
}

/** Held in memory while events are read: about 300 bytes each. */
const sessionsMax = 2_000_000;
const propertiesMax = 2_000_000;

interface Session {
  agent: Agent;
  place: Place;
  screen: string;
}

/**
 * Each event in the pipeline's words, in the order of the file, after rows of the other tables that cannot be read.
 * @throws RequestError when a table has other columns
 */
export async function* readUmamiEvents(tables_: UmamiTables, site: SiteRecord): AsyncGenerator<ReadRow> {
  const sessions = tables_.sessions === undefined ? undefined : yield* readSessions(tables_.sessions);
  const properties = tables_.data === undefined ? undefined : yield* readProperties(tables_.data);
  const known = site.foreignIds.find(({ product }) => product === 'umami')?.id;
  let website = known;
  let header: Header | undefined;
  for await (const record of readRecords(tables_.events)) {
    if (header === undefined) {
      header = headerOf('website_event', record.cells ?? [], ['session_id', 'url_path', 'created_at']);
      continue;
    }
    const of = cellReader(header, record);
    const at = `website_event:${record.line}`;
    if (typeof of === 'string') {
      yield { stopped: of, at };
      continue;
    }
    const own = of('website_id');
    website ??= own === '' ? undefined : own;
    if (own !== '' && own !== website) {
      if (known === undefined)
        throw refused(
          'The table holds several websites: set the Umami id of this site in its settings, so that its rows are known.',
        );
      yield { stopped: 'other_site', at };
      continue;
    }
    yield { ...eventOf(of, sessions, properties, site.domain), at };
  }
}

type CellOf = (name: string) => string;
interface Header {
  width: number;
  at: ReadonlyMap<string, number>;
}

function headerOf(table: string, cells: readonly string[], needed: readonly string[]): Header {
  const at = new Map(cells.map((cell, index) => [cell.trim().toLowerCase(), index]));
  const missing = needed.find((name) => !at.has(name));
  if (missing !== undefined)
    throw refused(`${table} has no column ${missing}: export the table with its line of headers.`);
  return { width: cells.length, at };
}

/** `NULL` and `\N` are how databases write nothing. @returns why the record is no row, where it is none */
function cellReader({ at, width }: Header, { cells }: CsvRecord): CellOf | 'line_too_long' | 'wrong_columns' {
  if (cells === undefined) return 'line_too_long';
  if (cells.length !== width) return 'wrong_columns';
  return (name) => {
    const cell = cells[at.get(name) ?? -1] ?? '';
    return cell === 'NULL' || cell === '\\N' ? '' : plainCell(cell);
  };
}

async function* readSessions(bytes: AsyncIterable<Buffer>): AsyncGenerator<ReadRow, Map<string, Session>> {
  const sessions = new Map<string, Session>();
  let header: Header | undefined;
  for await (const record of readRecords(bytes)) {
    if (header === undefined) {
      header = headerOf('session', record.cells ?? [], ['session_id']);
      continue;
    }
    if (sessions.size >= sessionsMax)
      throw refused(`The table of sessions has more than ${sessionsMax} rows: export a shorter time.`);
    const of = cellReader(header, record);
    if (typeof of === 'string') yield { stopped: of, at: `session:${record.line}` };
    else sessions.set(of('session_id'), sessionOf(of));
  }
  return sessions;
}

type Properties = Map<string, [key: string, value: string][]>;

async function* readProperties(bytes: AsyncIterable<Buffer>): AsyncGenerator<ReadRow, Properties> {
  const properties: Properties = new Map();
  let header: Header | undefined;
  let rows = 0;
  for await (const record of readRecords(bytes)) {
    if (header === undefined) {
      header = headerOf('event_data', record.cells ?? [], ['data_key']);
      continue;
    }
    if (++rows > propertiesMax)
      throw refused(`The table of properties has more than ${propertiesMax} rows: export a shorter time.`);
    const of = cellReader(header, record);
    if (typeof of === 'string') {
      yield { stopped: of, at: `event_data:${record.line}` };
      continue;
    }
    const id = of('website_event_id') || of('event_id');
    const own = properties.get(id) ?? [];
    own.push([of('data_key'), propertyText(of)]);
    properties.set(id, own);
  }
  return properties;
}

/** Umami writes a number with four decimals, into the text as well; its script had sent it without. */
function propertyText(of: CellOf): string {
  const text = of('string_value') || of('number_value') || of('date_value');
  const isNumber = of('data_type') === '2' || of('number_value') !== '';
  return isNumber && /^-?\d+\.\d+$/.test(text) ? text.replace(/\.?0+$/, '') : text;
}

function sessionOf(of: CellOf): Session {
  const device = namedAgent('device', of('device'));
  return {
    agent: {
      browser: browserOf(of('browser')),
      browser_version: '',
      ...systemOf(of('os')),
      device: device === 'Desktop' || device === 'Mobile' || device === 'Tablet' ? device : '',
    },
    place: {
      country: countryCode(of('country')),
      region: nameText(of('region') || of('subdivision1')),
      city: nameText(of('city')),
      latitude: 0,
      longitude: 0,
    },
    screen: of('screen'),
  };
}

/** Umami's own words for browsers; others are names that are known here. */
const browsers: { readonly [word: string]: string } = {
  'edge-chromium': 'Microsoft Edge',
  'edge-ios': 'Microsoft Edge',
  crios: 'Chrome',
  fxios: 'Firefox',
  ios: 'Safari',
  'ios-webview': 'iOS WebView',
  'chromium-webview': 'Android WebView',
  samsung: 'Samsung Internet',
  'opera-mini': 'Opera Mini',
};

function browserOf(word: string): string {
  const key = word.toLowerCase();
  return (Object.hasOwn(browsers, key) ? browsers[key] : undefined) ?? namedAgent('browser', word);
}

/** `Windows 10` is a system and its version, `Android OS` is Android. */
function systemOf(text: string): { os: string; os_version: string } {
  const [, name = '', version = ''] =
    /^(.*?)(?: ([\d.]+|XP|Vista))?$/.exec(
      text.replace(/ OS$/, (os) => (text === 'Mac OS' || text === 'Chrome OS' ? os : '')),
    ) ?? [];
  return { os: namedAgent('os', name), os_version: version };
}

function eventOf(
  of: CellOf,
  sessions: ReadonlyMap<string, Session> | undefined,
  properties: ReadonlyMap<string, readonly (readonly [string, string])[]> | undefined,
  domain: string,
): ReadRow {
  const type = of('event_type');
  // 1 is a page view, 2 an event of the site's own; the others are speeds and errors.
  if (type !== '' && type !== '1' && type !== '2') return { stopped: 'unsupported' };
  const time = timeIn(of('created_at'));
  if (time === undefined) return { stopped: 'no_day' };
  // Rows of nobody would all be one visitor's.
  if (of('session_id') === '') return { stopped: 'invalid' };
  const referrer = of('referrer_domain');
  const session = sessions?.get(of('session_id')) ?? sessionOf(of);
  const name = of('event_name');
  const { props, revenue } = readData(Object.fromEntries(properties?.get(of('event_id')) ?? []));
  const tag = of('tag');
  const input = readOurWords(
    {
      name: name === '' ? 'pageview' : name,
      url: `${pageAddress(`https://${of('hostname') || domain}`, of('url_path'))}${queryOf(of)}`,
      domain: '',
      hashMode: true,
      referrer: referrer === '' ? '' : `https://${referrer}${of('referrer_path')}`,
      title: of('page_title'),
      screen: session.screen,
      props: tag === '' || 'tag' in props ? props : { ...props, tag },
      ...(revenue === undefined ? {} : { revenue }),
      time,
    },
    of('distinct_id') === '' ? [] : ['identity_off'],
    {},
  );
  if ('unkept' in input) return { stopped: input.unkept };
  if ('refused' in input) return { stopped: input.reason };
  return {
    // A row that stands in the file twice is one event.
    input: { ...input, id: of('event_id') },
    known: { visitor: of('session_id'), agent: session.agent, place: session.place },
  };
}

/** Campaigns and clicks have columns of their own too, which later versions fill from elsewhere than the address. */
const inColumns = ['utm_source', 'utm_medium', 'utm_campaign', 'utm_content', 'utm_term', 'gclid', 'fbclid', 'msclkid'];

function queryOf(of: CellOf): string {
  const query = of('url_query').replace(/^\?/, '');
  const more = inColumns
    .filter((name) => of(name) !== '' && !query.includes(`${name}=`))
    .map((name) => `${name}=${encodeURIComponent(of(name))}`);
  const all = [...(query === '' ? [] : [query]), ...more].join('&');
  return all === '' ? '' : `?${all}`;
}

/** As PostgreSQL, MySQL and ClickHouse write it; without a zone it is UTC. */
function timeIn(cell: string): number | undefined {
  const [, day = '', clock = '', zone = ''] =
    /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?)\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)?$/.exec(cell.trim()) ??
    [];
  if (dayIn(day) === undefined) return undefined;
  const [, sign = '+', hours = '00', minutes = '00'] = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone) ?? [];
  const ms = Date.parse(`${day}T${clock.slice(0, 12)}${sign}${hours}:${minutes}`);
  return Number.isNaN(ms) ? undefined : ms;
}
