import type { DimensionName } from '../../../contract/query.ts';
import { readerNames } from '../edge/reader.ts';

/**
 * The dimensions a reader can filter by: a short name for addresses and sentences, and the API's own.
 * `values` says how one is written for people; a place is asked for by code and shown by name.
 */
export interface Dimension {
  /** In addresses: `f=is:country:DE`. Never changed once published, since people keep these links. */
  key: string;
  api: DimensionName;
  label: string;
  /** Of a list: "All channels", "8 channels". */
  plural: string;
  /** Where the values are codes: the dimension that carries their names. */
  names?: DimensionName;
  empty?: string;
}

const declared = [
  { key: 'page', api: 'event:page', label: 'Page', plural: 'pages' },
  { key: 'title', api: 'event:title', label: 'Title', plural: 'titles', empty: 'No title' },
  { key: 'hostname', api: 'event:hostname', label: 'Hostname', plural: 'hostnames' },
  { key: 'entry', api: 'visit:entry_page', label: 'Entry page', plural: 'entry pages', empty: 'No page' },
  { key: 'exit', api: 'visit:exit_page', label: 'Exit page', plural: 'exit pages', empty: 'No page' },
  { key: 'goal', api: 'event:goal', label: 'Goal', plural: 'goals' },
  { key: 'event', api: 'event:name', label: 'Event', plural: 'events' },
  { key: 'channel', api: 'visit:channel', label: 'Channel', plural: 'channels' },
  { key: 'source', api: 'visit:source', label: 'Source', plural: 'sources', empty: 'Direct / None' },
  { key: 'referrer', api: 'visit:referrer', label: 'Referrer', plural: 'referrers' },
  { key: 'utm_campaign', api: 'visit:utm_campaign', label: 'UTM campaign', plural: 'campaigns', empty: 'Not tagged' },
  { key: 'utm_source', api: 'visit:utm_source', label: 'UTM source', plural: 'UTM sources', empty: 'Not tagged' },
  { key: 'utm_medium', api: 'visit:utm_medium', label: 'UTM medium', plural: 'UTM media', empty: 'Not tagged' },
  { key: 'utm_term', api: 'visit:utm_term', label: 'Search term (UTM)', plural: 'search terms', empty: 'Not tagged' },
  { key: 'utm_content', api: 'visit:utm_content', label: 'UTM content', plural: 'UTM contents', empty: 'Not tagged' },
  { key: 'country', api: 'visit:country', names: 'visit:country_name', label: 'Country', plural: 'countries' },
  { key: 'region', api: 'visit:region', names: 'visit:region_name', label: 'Region', plural: 'regions' },
  { key: 'city', api: 'visit:city', names: 'visit:city_name', label: 'City', plural: 'cities' },
  { key: 'device', api: 'visit:device', label: 'Device', plural: 'devices' },
  { key: 'browser', api: 'visit:browser', label: 'Browser', plural: 'browsers' },
  { key: 'browser_version', api: 'visit:browser_version', label: 'Browser version', plural: 'browser versions' },
  { key: 'os', api: 'visit:os', label: 'System', plural: 'systems' },
  { key: 'os_version', api: 'visit:os_version', label: 'System version', plural: 'system versions' },
  { key: 'screen', api: 'visit:screen', label: 'Screen', plural: 'screens' },
] as const satisfies readonly Dimension[];

export type DimensionKey = (typeof declared)[number]['key'];
/** A custom property of events, by its name. */
export type PropertyKey = `prop.${string}`;
export const dimensions: readonly Dimension[] = declared;

const byKey = new Map<string, Dimension>(declared.map((one) => [one.key, one]));

const propertyPrefix = 'prop.';

/** A declared dimension, or a custom property as `prop.<name>`. */
export function dimensionOf(key: string): Dimension | undefined {
  const known = byKey.get(key);
  if (known !== undefined || !isProperty(key) || key === propertyPrefix) return known;
  const name = key.slice(propertyPrefix.length);
  return { key, api: `event:props:${name}`, label: name, plural: `values of ${name}`, empty: noProperty };
}

export function isProperty(key: string): key is PropertyKey {
  return key.startsWith(propertyPrefix);
}

/** For keys that the code itself names, and properties, which are all declared by being named. */
export function declaredDimension(key: DimensionKey | PropertyKey): Dimension {
  return dimensionOf(key) as Dimension;
}

/** The API's word for the value of a property that an event does not carry. */
export const noProperty = '(none)';

/** The API's word for a value that is absent, in answers and in filters. */
export const notSet = '(not set)';

/** A value as people read it: countries by name, an empty one by what its emptiness means. */
export function valueText(dimension: Dimension, value: string | null, locale?: string): string {
  if (value === null || value === '' || value === notSet) return dimension.empty ?? 'Unknown';
  if (dimension.key === 'country') return countryName(value, locale);
  return value;
}

function countryName(code: string, locale: string | undefined): string {
  // A1 is what the place step writes for known anonymous exits; it is no country.
  if (code === 'A1') return 'Anonymous exit';
  if (!/^[A-Z]{2}$/.test(code)) return code;
  return readerNames('region', locale).of(code) ?? code;
}
