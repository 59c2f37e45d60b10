import { SettingsProblem } from './destination.ts';

interface Field {
  readonly is: RegExp;
  /** What it should be, in the words of a sentence. */
  readonly what: string;
  readonly required?: boolean;
  /** Signs that people write into it and the platform does not want. */
  readonly without?: RegExp;
}

/**
 * Settings that are texts of a known shape; whole numbers are taken as their digits. Null and empty are not there, and
 * what the list does not name is left out.
 * @throws SettingsProblem
 */
export function readFields<const Fields extends Readonly<Record<string, Field>>>(
  given: unknown,
  label: string,
  fields: Fields,
): Read<Fields> {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new SettingsProblem(`The settings of ${label} are an object.`);
  const read: Record<string, string> = {};
  for (const [name, { is, what, required = false, without }] of Object.entries<Field>(fields)) {
    const value = (given as Record<string, unknown>)[name];
    if (value === undefined || value === null || value === '') {
      if (required) throw new SettingsProblem(`${label} needs ${name}: ${what}.`, name);
      continue;
    }
    const said = Number.isSafeInteger(value) && Number(value) >= 0 ? String(value) : value;
    const text = typeof said === 'string' && without !== undefined ? said.replace(without, '') : said;
    if (typeof text !== 'string' || !is.test(text)) throw new SettingsProblem(`${label}: ${name} is ${what}.`, name);
    read[name] = text;
  }
  return read as Read<Fields>;
}

type Needed<Fields> = { [Name in keyof Fields]: Fields[Name] extends { required: true } ? Name : never }[keyof Fields];
type Read<Fields> = { [Name in Needed<Fields>]: string } & { [Name in Exclude<keyof Fields, Needed<Fields>>]?: string };
