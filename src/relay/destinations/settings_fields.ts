import { SettingsProblem } from './destination.ts';

/** A setting of a destination: how it is read, and how a form asks for it. */
export interface SettingsField {
  readonly is: RegExp;
  /** As the form calls it, and the platform's own pages do. */
  readonly label: string;
  /** What it should be, in the words of a sentence. */
  readonly what: string;
  readonly required?: boolean;
  /** Signs that people write into it and the platform does not want. */
  readonly without?: RegExp;
  /** The only values that there are; the form then asks which. */
  readonly choices?: readonly string[];
  /** The code under which the platform takes what is sent as a test: set as such, and not among the other settings. */
  readonly isTestCode?: true;
}
export type SettingsFields = Readonly<Record<string, SettingsField>>;

/** The fields of a destination, with their names in the type: what is read by them has the same. */
export function settingsFields<const Fields extends SettingsFields>(fields: Fields): Fields {
  return fields;
}

/**
 * Settings that are texts of a known shape; whole numbers are taken as their digits. Null and empty are not there, and
 * what the list does not name is left out.
 * @throws SettingsProblem
 */
export function readFields<const Fields extends SettingsFields>(
  given: unknown,
  label: string,
  fields: Fields,
): Read<Fields> {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new SettingsProblem(`The settings of ${label} are an object.`);
  const read: Record<string, string> = {};
  for (const [name, { is, what, required = false, without }] of Object.entries<SettingsField>(fields)) {
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
