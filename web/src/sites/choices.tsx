import { retentionMonthsMax } from '../../../contract/limits.ts';
import { readerNames } from '../edge/reader.ts';

/** Currencies that are asked for most come first; the rest is the browser's own list. */
const commonCurrencies = ['EUR', 'USD', 'GBP', 'CHF', 'SEK', 'DKK', 'NOK', 'PLN', 'CZK', 'CAD', 'AUD', 'JPY'];

export function browserTimezone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

export function TimezoneOptions({ chosen }: { chosen: string }) {
  const known = Intl.supportedValuesOf('timeZone');
  const zones = [...new Set([...known, 'UTC', chosen])].sort();
  return zones.map((zone) => (
    <option key={zone} value={zone}>
      {zone.replaceAll('_', ' ')}
    </option>
  ));
}

export function CurrencyOptions({ chosen }: { chosen: string }) {
  const names = readerNames('currency');
  const rest = Intl.supportedValuesOf('currency').filter((code) => !commonCurrencies.includes(code));
  const first =
    commonCurrencies.includes(chosen) || rest.includes(chosen) ? commonCurrencies : [...commonCurrencies, chosen];
  const option = (code: string) => (
    <option key={code} value={code}>
      {code} · {names.of(code) ?? code}
    </option>
  );
  return (
    <>
      {first.map(option)}
      <hr />
      {rest.map(option)}
    </>
  );
}

/** The currency of the place that the browser's language names, where that is plain; euro otherwise. */
export function likelyCurrency(language: string): string {
  const region = new Intl.Locale(language).region;
  const byRegion: Record<string, string> = {
    US: 'USD',
    GB: 'GBP',
    CH: 'CHF',
    SE: 'SEK',
    DK: 'DKK',
    NO: 'NOK',
    PL: 'PLN',
    CZ: 'CZK',
    CA: 'CAD',
    AU: 'AUD',
    JP: 'JPY',
  };
  return (region === undefined ? undefined : byRegion[region]) ?? 'EUR';
}

const retentionChoices = [1, 3, 6, 12, 18, 24, retentionMonthsMax] as const;

export function RetentionOptions({ chosen }: { chosen: number }) {
  const months = [...new Set<number>([...retentionChoices, chosen])].sort((a, b) => b - a);
  return months.map((one) => (
    <option key={one} value={one}>
      {one === 1 ? '1 month' : `${one} months`}
      {one === retentionMonthsMax ? ', the most' : ''}
    </option>
  ));
}

/** What people paste: an address, a name with www. The desk cleans it again; this only shows them the same. */
export function cleanDomain(text: string): string {
  return text
    .trim()
    .toLowerCase()
    .replace(/^[a-z]+:\/\//, '')
    .replace(/[/?#].*$/, '')
    .replace(/^www\./, '')
    .replace(/\.$/, '');
}

export function domainProblem(text: string): string | undefined {
  const domain = cleanDomain(text);
  if (domain === '') return 'The domain of the site is needed, such as shop.example.';
  if (
    domain !== 'localhost' &&
    !/^(?=.{1,253}$)([\p{L}\p{N}]([\p{L}\p{N}-]*[\p{L}\p{N}])?\.)+[\p{L}\p{N}-]{2,}(:\d+)?$/u.test(domain)
  )
    return `“${domain}” is no domain. Write it without a path, such as shop.example.`;
  return undefined;
}
