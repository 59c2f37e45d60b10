import type { BrowserState } from '../../../../contract/pixels.ts';
import type { DeliveryState } from '../../../../contract/relay.ts';
import type { AskedState, RelayPeriod } from '../../../../contract/relay_asked.ts';
import { decimalMoney } from '../../numbers/format.ts';

export const periodWords: Readonly<Record<RelayPeriod, string>> = {
  today: 'Today',
  '7d': '7 days',
  '30d': '30 days',
  '90d': '90 days',
};

export const stateWords: Readonly<Record<AskedState, string>> = {
  held: 'Held for approval',
  waiting: 'Waiting',
  sending: 'Being sent',
  accepted: 'Accepted',
  withheld: 'Withheld',
  dead: 'Dead letter',
  cancelled: 'Cancelled',
  sent: 'Sent at least once',
  open: 'Not ended yet',
};

/** What is known of the browser's own event of a delivery. */
export const browserWords: Readonly<Record<BrowserState, string>> = {
  same: 'same id',
  other_name: 'same id, other event',
  other_id: 'other id',
  no_id: 'no id',
  unseen: 'server only',
};

/** Words of ours; a code of a platform is itself. */
const reasons: Readonly<Record<string, string>> = {
  consent_denied: 'consent was denied',
  consent_unknown: 'nothing was said of consent',
  not_first: 'not the first of its click or person',
  restricted: 'the data of this person is restricted',
  route_paused: 'its route was paused',
  missing: 'a field is missing',
  invalid: 'a field is invalid',
  no_offset: 'its time has no offset',
  too_old: 'older than the platform takes',
  in_the_future: 'its time is in the future',
  no_identifier: 'no identifier that the platform takes',
  click_ids_conflict: 'its click ids conflict',
  unknown_currency: 'the currency is none',
  value_without_currency: 'a value without a currency',
  not_supported: 'the platform has nothing for it',
  original_not_delivered: 'the purchase that it corrects was not delivered',
  no_credits: 'no credits were left',
  removed: 'its route or destination was removed',
  disconnected: 'its connection was ended',
  settings: 'the destination is not set up',
  gone: 'the destination is gone',
  method: 'neither POST nor GET',
  incomplete: 'it ended before it was whole',
  too_large: 'larger than a request may be',
  too_deep: 'objects too deep in each other',
  too_many_items: 'too many items',
  not_utf8: 'no UTF-8',
  not_json: 'no JSON',
  not_form: 'no form',
  not_multipart: 'not the multipart that it says',
  file: 'it has a file in it',
  content_type: 'a content type that is not taken',
  content_encoding: 'packed in a way that is not read',
  not_unpackable: 'its packing is damaged',
  rate: 'more than the source takes in a minute',
  cancelled: 'it was cancelled',
  failed: 'it could not be read to its end',
  empty: 'there was nothing in it',
  not_an_object: 'neither an object nor a list of objects',
  signature_missing: 'it was not signed',
  signature_wrong: 'its signature does not fit',
  signature_expired: 'its signature is too old',
  ignored: 'ignored by the mapping',
  no_case: 'no case of the mapping fits',
  mapping: 'the mapping makes nothing of it',
  too_much_work: 'the mapping asks too much of it',
  too_many: 'too many of a field',
  not_in_table: 'a value that is not in the table',
  unexpanded_macro: 'a macro that the tracker did not fill in',
  paused: 'the source was paused',
  organisation_suspended: 'the organisation was suspended',
  other: 'other reasons',
};

/** Codes of platforms that are numbers, of which nobody sees what they mean: Meta's code and subcode, and TikTok's. */
const codes: Readonly<Record<string, string>> = {
  '100/2804003': 'older than Meta takes',
  '190/458': 'the app was removed from the account',
  '190/460': 'the password of the account was changed',
  '190/463': 'the token has ended',
  '190/467': 'the token is not valid',
  '190': 'the token is not valid',
  '40105': 'the token is not valid',
  '40002': 'a field of it is wrong',
};

/** In words, with the platform's own code behind them where it is one. */
export function reasonText(reason: string | null | undefined): string {
  if (reason == null || reason === '') return 'without a reason';
  const words = codes[reason] ?? (/^\d[\d/]*$/.test(reason) ? 'refused by the platform' : undefined);
  return reasons[reason] ?? (words === undefined ? reason : `${words} (${reason})`);
}

export const toneOf: Readonly<Record<DeliveryState, string>> = {
  held: 'idle',
  waiting: 'warn',
  sending: 'warn',
  accepted: 'ok',
  withheld: 'hold',
  dead: 'bad',
  cancelled: 'idle',
};

/** @param label where no word stands beside it */
export function StateGlyph({ state, label }: { state: DeliveryState; label?: string }) {
  const className = `re-g ${toneOf[state]}`;
  if (label === undefined)
    return (
      <svg className={className} viewBox="0 0 14 14" aria-hidden="true">
        <Shape state={state} />
      </svg>
    );
  return (
    <svg className={className} viewBox="0 0 14 14" role="img" aria-label={label}>
      <title>{label}</title>
      <Shape state={state} />
    </svg>
  );
}

function Shape({ state }: { state: DeliveryState }) {
  switch (state) {
    case 'accepted':
      return <path d="m2.5 7.500 3 3 6-6.500" />;
    case 'dead':
      return <path d="M2 1.500h10v11H2ZM4.800 4.800l4.400 4.400M9.200 4.800 4.800 9.200" />;
    case 'withheld':
      return <path d="M12.700 7a5.700 5.700 0 1 1-11.400 0 5.700 5.700 0 0 1 11.400 0ZM3.200 10.800 10.800 3.200" />;
    case 'waiting':
    case 'sending':
      return (
        <>
          <circle cx="7" cy="7" r="5.500" strokeDasharray="26 9" />
          <circle cx="7" cy="7" r=".8" />
        </>
      );
    case 'held':
    case 'cancelled':
      return <circle cx="7" cy="7" r="5.700" strokeDasharray="2.400 2.080" />;
  }
}

export function valueText(value: string | null, currency: string | null, isRefund = false): string {
  if (value === null) return '';
  const sign = isRefund ? '−' : '';
  return currency === null ? `${sign}${value}` : sign + decimalMoney(value, currency);
}

export function eventText(name: string): string {
  return name.replaceAll('_', ' ').replace(/^./, (first) => first.toUpperCase());
}

/** The middle of an id is cut: its ends tell two apart. */
export function shortId(id: string): string {
  return id.length <= 14 ? id : `${id.slice(0, 6)}…${id.slice(-4)}`;
}

const identifierWords: Readonly<Record<string, string>> = {
  email: 'E-mail',
  phone: 'Phone',
  name_address: 'Name and place',
  external_id: 'External id',
  ip_agent: 'Address and browser',
  ip: 'IP address',
  user_agent: 'browser',
  first_name: 'first name',
  last_name: 'last name',
  date_of_birth: 'date of birth',
};
export function identifierText(name: string): string {
  return identifierWords[name] ?? name;
}

/** Within a sentence, what says most of whom first: who it is, where they live, by what they came. */
export function identifiersText(names: readonly string[]): string {
  const known = Object.keys(identifierWords);
  const rank = (name: string) => (known.includes(name) ? known.indexOf(name) : known.length);
  return [...names]
    .sort((one, other) => rank(one) - rank(other))
    .map((name) => identifierText(name).replace(/^[A-Z](?=[^A-Z])/, (first) => first.toLowerCase()))
    .join(', ');
}

export const regionWords: Readonly<Record<string, string>> = {
  eea: 'in the EEA',
  uk: 'in the United Kingdom',
  ch: 'in Switzerland',
  other: 'outside of the EEA, UK and Switzerland',
  unknown: 'in a place that nobody knows, which counts as one that asks for consent',
};
