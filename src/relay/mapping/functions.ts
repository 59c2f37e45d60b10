import type { MappingFunction } from '../../../contract/mapping.ts';
import { type Path, parsePath } from '../../../contract/mapping_path.ts';
import { isZone } from '../../platform/zone.ts';
import { fromMinorUnits, readTyped } from './decimal.ts';
import { fromUnixMilliseconds, fromUnixSeconds, readMoment } from './moment.ts';
import { FieldProblem } from './problem.ts';
import { readQuery } from './query.ts';
import { firstText, type Scope } from './walk.ts';

/** Text in, text out; undefined is nothing. It throws FieldProblem where the text is not what it is for. */
export type TextFunction = (text: string, scope: Scope) => string | undefined;

/** Currencies without minor units are told by the mapping; all others have two. */
const digitsOfMost = 2;

/** @throws RangeError where a timezone is none, whose sentence says so */
export function planFunction(given: MappingFunction): TextFunction {
  if (typeof given === 'string') return plainFunctions[given];
  if ('number' in given) {
    const { decimal } = given.number;
    return (text) => readTyped(text, decimal) ?? invalid();
  }
  if ('query_parameter' in given) return (text) => queryParameter(text, given.query_parameter);
  if ('minor_units' in given) {
    const currency = parsePath(given.minor_units.currency) as Path;
    const digits = new Map(
      Object.entries(given.minor_units.digits).map(([code, count]) => [code.toUpperCase(), count]),
    );
    return (text, scope) => {
      const code = firstText(currency, scope)?.toUpperCase();
      return fromMinorUnits(text, digits.get(code ?? '') ?? digitsOfMost) ?? invalid();
    };
  }
  const { timezone, order } = given.date;
  if (!isZone(timezone)) throw new RangeError(`${timezone} is no timezone, such as Europe/Berlin`);
  return (text) => readMoment(text, timezone, order) ?? invalid();
}

const plainFunctions: Readonly<Record<Extract<MappingFunction, string>, TextFunction>> = {
  trim: (text) => text.trim(),
  lower: (text) => text.toLowerCase(),
  upper: (text) => text.toUpperCase(),
  absolute: (text) => text.replace(/^-/, ''),
  cents: (text) => fromMinorUnits(text, digitsOfMost) ?? invalid(),
  unix_seconds: (text) => fromUnixSeconds(text) ?? invalid(),
  unix_milliseconds: (text) => fromUnixMilliseconds(text) ?? invalid(),
  host: (text) => (URL.canParse(text) ? new URL(text).hostname || undefined : undefined),
};

/** Of `https://shop.example/?gclid=abc#top`, `/?gclid=abc` or `?gclid=abc`. */
function queryParameter(text: string, name: string): string | undefined {
  const from = text.indexOf('?');
  // Some twenty parameters are looked for in the same address: most are not in it. A name may be written with %.
  if (from < 0 || !(text.includes(name, from) || text.includes('%', from))) return undefined;
  const found = readQuery(text.slice(from + 1).split('#')[0] as string)?.[name];
  return typeof found === 'string' ? found : undefined;
}

function invalid(): never {
  throw new FieldProblem('invalid');
}
