import { z } from 'zod';
import { canonicalFields, customName, isMappedField } from './canonical_fields.ts';
import { conversionLimits } from './conversion.ts';
import { parsePath, parseTemplate, pathLimits } from './mapping_path.ts';

export { canonicalFields, type FieldKind, isMappedField } from './canonical_fields.ts';

/**
 * A mapping says where each field of a conversion comes from. It is data: paths, defaults, templates, conditions, look-up
 * tables and functions of a closed list. It holds no code and no pattern to run.
 */
export const mappingLimits = {
  pathCharsMax: pathLimits.charsMax,
  templateCharsMax: 512,
  textCharsMax: 512,
  tableEntriesMax: 1_000,
  rulesMax: 10,
  functionsMax: 8,
  conditionsMax: 50,
  conditionDepthMax: 4,
  casesMax: 20,
  fieldsMax: 120,
} as const;

/** What one request to a source may be. Whatever is beyond is refused with the name of the limit, never cut. */
export const captureLimits = {
  bodyBytesMax: 2_000_000,
  urlCharsMax: 16_384,
  depthMax: 32,
  /** Of one list, one object or one form: ten thousand are refused. */
  itemsMax: 9_999,
  partHeadBytesMax: 8_192,
  /** Of one value that a rule takes. No field is longer than 4,096, and a part of an address is taken from one. */
  valueCharsMax: 16_384,
  /** Steps along paths for one request; a list of 9,999 records with fifty fields each takes 1.5 million. */
  stepsMax: 5_000_000,
} as const;

const path = z
  .string()
  .max(mappingLimits.pathCharsMax)
  .refine((text) => parsePath(text) !== undefined, 'is no path, such as customer.email, items[0].id or items[*].id')
  .describe('Where it lies in what was sent, such as `customer.email` or `items[*].id`.');
const scalar = z.union([z.string().max(mappingLimits.textCharsMax), z.number(), z.boolean()]);
const amount = z.union([z.number(), z.string().regex(/^-?\d{1,20}(\.\d{1,20})?$/)]);

export type Condition =
  | { path: string; equals: string | number | boolean }
  | { path: string; exists: boolean }
  | { path: string; in: (string | number | boolean)[] }
  | { path: string; compare: '<' | '<=' | '>' | '>='; to: number | string }
  | { all: Condition[] }
  | { any: Condition[] }
  | { not: Condition };

const several = () => z.array(z.lazy(() => oneCondition)).max(mappingLimits.conditionsMax);
const oneCondition: z.ZodType<Condition> = z.union([
  z.strictObject({ path, equals: scalar.describe('Text against text: 5 is "5".') }),
  z.strictObject({ path, exists: z.boolean() }),
  z.strictObject({ path, in: z.array(scalar).max(mappingLimits.tableEntriesMax) }),
  z.strictObject({
    path,
    compare: z.enum(['<', '<=', '>', '>=']).describe('As decimals; false where it is no number.'),
    to: amount,
  }),
  z.strictObject({ all: several() }),
  z.strictObject({ any: several() }),
  z.strictObject({ not: z.lazy(() => oneCondition) }),
]);
export const condition = oneCondition.refine(
  (given) => depthOf(given) <= mappingLimits.conditionDepthMax && countOf(given) <= mappingLimits.conditionsMax,
  `is more than ${mappingLimits.conditionDepthMax} deep or ${mappingLimits.conditionsMax} conditions`,
);

function innerOf(given: Condition): Condition[] {
  if ('all' in given) return given.all;
  if ('any' in given) return given.any;
  return 'not' in given ? [given.not] : [];
}
function depthOf(given: Condition): number {
  return 1 + Math.max(0, ...innerOf(given).map(depthOf));
}
function countOf(given: Condition): number {
  return 1 + innerOf(given).reduce((sum, one) => sum + countOf(one), 0);
}

const digits = z.int().min(0).max(6);
/** What may be done to a value, in this order. */
const mappingFunction = z.union([
  z.enum(['trim', 'lower', 'upper', 'absolute', 'cents', 'unix_seconds', 'unix_milliseconds', 'host']),
  z.strictObject({
    number: z.strictObject({ decimal: z.enum(['.', ',']) }).describe('"1.234,50" with a decimal comma is 1234.50.'),
  }),
  z.strictObject({
    minor_units: z
      .strictObject({
        currency: path,
        digits: z.record(z.string().max(3), digits).describe('By currency; any other has two.'),
      })
      .describe('Whole minor units of a currency: 1099 of EUR is 10.99, 1099 of JPY is 1099.'),
  }),
  z.strictObject({
    date: z
      .strictObject({
        timezone: z.string().max(64).describe('Where the clock stood that wrote it, such as Europe/Berlin.'),
        order: z.enum(['ymd', 'dmy', 'mdy']).optional(),
      })
      .describe('A date or a time without an offset gets the one of this timezone; one that has an offset is kept.'),
  }),
  z.strictObject({
    query_parameter: z.string().min(1).max(64).describe('Of an address or a part of one: its parameter of this name.'),
  }),
]);
export type MappingFunction = z.infer<typeof mappingFunction>;

const template = z
  .string()
  .max(mappingLimits.templateCharsMax)
  .refine((text) => parseTemplate(text) !== undefined, 'is no template, such as {{first}} {{last}}')
  .describe('Text with paths, such as `{{first}} {{last}}`. It gives nothing where one of them does.');

const rule = z.union([
  path,
  z
    .strictObject({
      path: path.optional(),
      template: template.optional(),
      when: condition.optional(),
      apply: z.array(mappingFunction).max(mappingLimits.functionsMax).optional(),
      lookup: z
        .record(z.string().max(mappingLimits.textCharsMax), z.string().max(mappingLimits.textCharsMax))
        .refine((table) => Object.keys(table).length <= mappingLimits.tableEntriesMax, 'has too many entries')
        .optional(),
      otherwise: z
        .enum(['keep', 'leave_out'])
        .describe('For what the table has not; without it that is a problem of the field.')
        .optional(),
      default: scalar.describe('Where there is nothing; alone it is a fixed value.').optional(),
    })
    .refine(
      (given) => given.path !== undefined || given.template !== undefined || given.default !== undefined,
      'says neither path nor template nor default',
    )
    .refine((given) => given.path === undefined || given.template === undefined, 'says both path and template'),
]);
export type Rule = z.infer<typeof rule>;

const rules = z.union([rule, z.array(rule).min(1).max(mappingLimits.rulesMax)]);
export type Rules = z.infer<typeof rules>;

const itemRules = z.strictObject({
  each: path.describe('The list, such as `line_items[*]`. Paths of its fields begin at one of them.'),
  fields: z.strictObject({ id: rules, quantity: rules.optional(), price: rules.optional() }),
});
export type ItemRules = z.infer<typeof itemRules>;

const fields = z
  .record(z.string().max(80), z.union([rules, itemRules]))
  .refine((given) => Object.keys(given).length <= mappingLimits.fieldsMax, 'has too many fields')
  .refine(
    (given) => Object.keys(given).filter((field) => customName.test(field)).length <= conversionLimits.customMax,
    `has more than ${conversionLimits.customMax} custom variables`,
  )
  .superRefine((given, context) => {
    for (const [field, value] of Object.entries(given)) {
      const isItems = typeof value === 'object' && !Array.isArray(value) && 'each' in value;
      if (!isMappedField(field))
        context.addIssue({ code: 'custom', path: [field], message: 'is no field of a conversion' });
      else if ((canonicalFields.get(field) === 'items') !== isItems)
        context.addIssue({ code: 'custom', path: [field], message: 'items, and they alone, have `each` and `fields`' });
    }
  });

export type MappingFields = z.infer<typeof fields>;

export const mappingCase = z.union([
  z.strictObject({
    when: condition.optional(),
    each: path.describe('One conversion for each of this list, such as `orders[*]`.').optional(),
    only: condition.describe('Of `each`, or of the record where it is alone: any other is no conversion.').optional(),
    fields,
  }),
  z.strictObject({ when: condition, ignore: z.literal(true).describe('Such records are no conversions.') }),
]);
export type MappingCase = z.infer<typeof mappingCase>;

export const mappingCases = z.strictObject({
  cases: z.array(mappingCase).min(1).max(mappingLimits.casesMax).describe('The first that fits a record is taken.'),
});

export const mapping = z.union([mappingCase, mappingCases]);
export type Mapping = z.infer<typeof mapping>;

/** How a sender proves who it is, where it signs. The secret is the source's and stands in no mapping. */
export const signatureSchemes = ['shopify', 'woocommerce', 'stripe', 'hmac'] as const;
export type SignatureScheme = (typeof signatureSchemes)[number];

/** What can be the matter with a request to a source, or with one field of what it says. */
export const captureReasons = [
  // The request was refused.
  ...(['method', 'too_large', 'too_deep', 'too_many_items', 'not_utf8', 'not_json', 'not_form'] as const),
  ...(['not_multipart', 'file', 'content_type', 'empty', 'not_an_object'] as const),
  ...(['content_encoding', 'not_unpackable'] as const),
  ...(['signature_missing', 'signature_wrong', 'signature_expired'] as const),
  // It was taken, and is no conversion.
  ...(['ignored', 'no_case', 'mapping', 'too_much_work'] as const),
  // A field of it.
  ...(['missing', 'invalid', 'too_many', 'not_in_table', 'unexpanded_macro'] as const),
  ...(['no_offset', 'in_the_future', 'unknown_currency', 'click_ids_conflict'] as const),
] as const;
export type CaptureReason = (typeof captureReasons)[number];
