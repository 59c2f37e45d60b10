import { canonicalFields } from '../../../../contract/canonical_fields.ts';
import type { Mapping, MappingFields, MappingFunction, Rule, Rules } from '../../../../contract/mapping.ts';
import { parsePath, parseTemplate } from '../../../../contract/mapping_path.ts';

/** A mapping as a table of columns shows it: one case, whose fields are filled from columns or with a fixed value. */
export type Fields = MappingFields;

/** How the values of a file are written, as far as nothing of them says so. */
export interface Manner {
  readonly timezone: string;
  readonly order: 'ymd' | 'dmy' | 'mdy' | 'seconds';
  readonly decimal: '.' | ',';
}

/** Undefined where it has several cases or conditions of its own, which a table of columns cannot show. */
export function fieldsOf(mapping: Mapping | undefined): Fields | undefined {
  if (mapping === undefined) return {};
  return 'fields' in mapping && mapping.when === undefined && mapping.each === undefined && mapping.only === undefined
    ? mapping.fields
    : undefined;
}

type RuleObject = Exclude<Rule, string>;
function listed(rules: Fields[string]): RuleObject[] {
  if (typeof rules === 'object' && !Array.isArray(rules) && 'each' in rules) return [];
  return (Array.isArray(rules) ? rules : [rules as Rule]).map((rule) =>
    typeof rule === 'string' ? { path: rule } : rule,
  );
}

function columnsOfRule({ path, template }: RuleObject): string[] {
  const paths = [
    ...(path === undefined ? [] : [parsePath(path)]),
    ...(parseTemplate(template ?? '') ?? []).filter((part) => typeof part !== 'string'),
  ];
  return paths.flatMap((one) => {
    const [first] = one?.steps ?? [];
    return one?.root === 'record' && first?.kind === 'name' ? [first.name] : [];
  });
}

/** Which field a column fills; undefined for none. */
export function fieldOfColumn(fields: Fields, column: string): string | undefined {
  return Object.keys(fields).find((field) =>
    listed(fields[field] as Rules).some((rule) => columnsOfRule(rule).includes(column)),
  );
}

/** The same mapping with a column that fills another field, or none. Another column that filled that field no longer does. */
export function assign(
  fields: Fields,
  column: { name: string; path: string },
  field: string | undefined,
  manner: Manner,
): Fields {
  const before = fieldOfColumn(fields, column.name);
  const { [before ?? '']: _, ...rest } = fields;
  const left = before === undefined ? fields : rest;
  return field === undefined ? left : { ...left, [field]: ruleFor(field, column.path, manner) };
}

/** A fixed value for a field that no column fills. */
export function withFixed(fields: Fields, field: string, value: string): Fields {
  const { [field]: _, ...rest } = fields;
  return value === '' ? rest : { ...rest, [field]: { default: value } };
}

/** What is fixed for a field; undefined where a column fills it. */
export function fixedOf(fields: Fields, field: string): string | undefined {
  const rules = fields[field];
  if (rules === undefined) return '';
  const [only, ...more] = listed(rules);
  if (only === undefined || more.length > 0 || only.path !== undefined || only.template !== undefined) return undefined;
  return String(only.default ?? '');
}

const granted = { apply: ['lower'], lookup: { granted: 'granted', denied: 'denied' }, otherwise: 'leave_out' } as const;

/** How a column is read for a field: amounts, times, currencies and consents each in their own way. */
export function ruleFor(field: string, path: string, manner: Manner): Rule {
  const kind = canonicalFields.get(field);
  if (kind === 'amount') return { path, apply: [{ number: { decimal: manner.decimal } }] };
  if (kind === 'granted') return { path, ...granted, apply: [...granted.apply] };
  if (field === 'currency') return { path, apply: ['upper'] };
  if (field === 'occurred_at' || field === 'clicked_at') return { path, apply: [timeStep(manner)] };
  return path;
}

function timeStep({ timezone, order }: Manner): MappingFunction {
  return order === 'seconds' ? 'unix_seconds' : { date: { timezone, order } };
}

/** The manner of a mapping, from the first of its steps that says so. */
export function mannerOf(fields: Fields, otherwise: Manner): Manner {
  const steps = Object.values(fields).flatMap((rules) => listed(rules).flatMap(({ apply }) => apply ?? []));
  const date = steps.find((step) => typeof step === 'object' && 'date' in step) as
    | { date: { timezone: string; order?: Manner['order'] } }
    | undefined;
  const number = steps.find((step) => typeof step === 'object' && 'number' in step) as
    | { number: { decimal: '.' | ',' } }
    | undefined;
  const isSeconds = date === undefined && steps.includes('unix_seconds');
  return {
    timezone: date?.date.timezone ?? otherwise.timezone,
    order: isSeconds ? 'seconds' : (date?.date.order ?? (date === undefined ? otherwise.order : 'ymd')),
    decimal: number?.number.decimal ?? otherwise.decimal,
  };
}

/** The same mapping for values that are written in another manner. */
export function inManner(fields: Fields, manner: Manner): Fields {
  const stepOf = (step: MappingFunction): MappingFunction => {
    if (typeof step === 'object' && 'number' in step) return { number: { decimal: manner.decimal } };
    if (step === 'unix_seconds' || (typeof step === 'object' && 'date' in step)) return timeStep(manner);
    return step;
  };
  const ruleOf = (rule: Rule): Rule =>
    typeof rule === 'string' || rule.apply === undefined ? rule : { ...rule, apply: rule.apply.map(stepOf) };
  return Object.fromEntries(
    Object.entries(fields).map(([field, rules]): [string, Fields[string]] => {
      if (typeof rules === 'object' && !Array.isArray(rules) && 'each' in rules) return [field, rules];
      // Two ways of reading a time are both wanted where a mapping has both.
      if (Array.isArray(rules)) return [field, rules.map((rule) => (isSeconds(rule) ? rule : ruleOf(rule)))];
      return [field, ruleOf(rules)];
    }),
  );
}

function isSeconds(rule: Rule): boolean {
  return typeof rule === 'object' && rule.apply?.includes('unix_seconds') === true;
}

/** Names that columns have at platforms, shops and in sheets of people, by the field that they mean. */
const names: Readonly<Record<string, string>> = {
  event_name: 'event_name event conversion_name conversion_action event_type',
  occurred_at:
    'occurred_at conversion_time event_time time timestamp date datetime when order_date ordered_at created_at datum zeitpunkt',
  order_id: 'order_id order order_number transaction_id transaction bestellung bestellnummer external_order_id',
  event_id: 'event_id lead_id',
  value: 'value conversion_value revenue amount total order_total price betrag umsatz wert payout',
  currency: 'currency conversion_currency currency_code waehrung währung',
  cost: 'cost',
  clicked_at: 'clicked_at click_time',
  'click_ids.gclid': 'gclid google_click_id',
  'click_ids.gbraid': 'gbraid',
  'click_ids.wbraid': 'wbraid',
  'click_ids.fbclid': 'fbclid',
  'click_ids.fbc': 'fbc',
  'click_ids.fbp': 'fbp',
  'click_ids.msclkid': 'msclkid microsoft_click_id',
  'click_ids.ttclid': 'ttclid',
  'click_ids.tracker': 'click_id clickid cid subid',
  'user.email': 'email e_mail mail email_address',
  'user.phone': 'phone phone_number telephone mobile telefon',
  'user.first_name': 'first_name fn given_name vorname',
  'user.last_name': 'last_name ln family_name surname nachname',
  'user.city': 'city ct ort stadt',
  'user.state': 'state st region',
  'user.zip': 'zip zip_code postal_code postcode plz',
  'user.country': 'country country_code land',
  'user.external_id': 'external_id extern_id customer_id user_id kundennummer',
  'user.date_of_birth': 'date_of_birth dob birthday',
  'user.gender': 'gender gen',
  'consent.ad_user_data': 'ad_user_data',
  'consent.ad_personalization': 'ad_personalization',
};

/** What the columns of a file probably are, by their names. The first of several wins. */
export function guessed(columns: readonly { name: string; path: string }[], manner: Manner): Fields {
  let fields: Fields = {};
  for (const column of columns) {
    const name = column.name.toLowerCase().replaceAll(/[\s.-]+/g, '_');
    const field = Object.keys(names).find((one) => names[one]?.split(' ').includes(name));
    if (field !== undefined && !(field in fields)) fields = { ...fields, [field]: ruleFor(field, column.path, manner) };
  }
  return fields;
}
