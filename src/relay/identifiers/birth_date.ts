/** Nobody who buys something was born before, or after the year it is; where that is not known, after this century. */
const yearMin = 1800;
const yearMax = 2099;

/**
 * A date of birth as `YYYYMMDD`, from three numbers in any order with any signs between them, or eight digits. The one
 * above 31 is the year (else the last is); of the other two the first is the month unless it is above 12, which is what
 * Meta's builder does. Null for dates that do not exist, years of two digits, and what is no date.
 * @param year the year it is
 */
export function birthDate(given: string, year = yearMax): string | null {
  const date = read(given);
  return date === null || Number(date.slice(0, 4)) > year ? null : date;
}

function read(given: string): string | null {
  const text = given.normalize('NFKC');
  const groups = text.match(/\d+/g) ?? [];
  if (groups.length === 1) return ofEightDigits(groups[0] as string);
  if (groups.length < 3 || groups.slice(0, 3).some((group) => group.length > 4)) return null;
  const [first = 0, second = 0, third = 0] = groups.map(Number);
  if (first > 31) return dated(first, second, third);
  return second > 31 ? dated(second, third, first) : dated(third, first, second);
}

function ofEightDigits(digits: string): string | null {
  if (digits.length !== 8) return null;
  const at = (from: number, to: number) => Number(digits.slice(from, to));
  return exact(at(0, 4), at(4, 6), at(6, 8)) ?? dated(at(4, 8), at(0, 2), at(2, 4));
}

/** @param month or the day, where it is above 12 */
function dated(year: number, month: number, day: number): string | null {
  return month > 12 ? exact(year, day, month) : exact(year, month, day);
}

function exact(year: number, month: number, day: number): string | null {
  if (year < yearMin || year > yearMax || month < 1 || month > 12 || day < 1) return null;
  if (day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return null;
  return String(year * 10_000 + month * 100 + day);
}
