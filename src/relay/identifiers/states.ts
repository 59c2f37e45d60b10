import { foldedName } from './countries.ts';

/** States, districts and territories of the United States by their ANSI codes, provinces and territories of Canada. */
const table = `
al Alabama|ak Alaska|az Arizona|ar Arkansas|ca California|co Colorado|ct Connecticut|de Delaware|fl Florida|ga Georgia
hi Hawaii|id Idaho|il Illinois|in Indiana|ia Iowa|ks Kansas|ky Kentucky|la Louisiana|me Maine|md Maryland
ma Massachusetts|mi Michigan|mn Minnesota|ms Mississippi|mo Missouri|mt Montana|ne Nebraska|nv Nevada|nh New Hampshire
nj New Jersey|nm New Mexico|ny New York|nc North Carolina|nd North Dakota|oh Ohio|ok Oklahoma|or Oregon|pa Pennsylvania
ri Rhode Island|sc South Carolina|sd South Dakota|tn Tennessee|tx Texas|ut Utah|vt Vermont|va Virginia|wa Washington
wv West Virginia|wi Wisconsin|wy Wyoming|dc District of Columbia|dc Washington DC|as American Samoa|gu Guam
mp Northern Mariana Islands|pr Puerto Rico|vi Virgin Islands|vi US Virgin Islands
on Ontario|qc Quebec|bc British Columbia|ab Alberta|sk Saskatchewan|mb Manitoba|ns Nova Scotia|nb New Brunswick
pe Prince Edward Island|nl Newfoundland and Labrador|nl Newfoundland|yt Yukon|nt Northwest Territories|nu Nunavut`;

/** The longest names first: `westvirginia` has `virginia` in it. */
const states = table
  .trim()
  .split(/[|\n]/)
  .map((entry) => ({ name: foldedName(entry.slice(3)), code: entry.slice(0, 2) }))
  .sort((a, b) => b.name.length - a.name.length);
const codes = new Map(states.map(({ name, code }) => [name, code]));

/** Spellings that were a code or a name of the table; others may be anything that somebody mapped here. */
const spellingsMax = 2_000;
const spellings = new Map<string, string>();

/**
 * A state in two lower-case letters: the code of one of the United States or a province of Canada by its name, also
 * inside more words ("State of New York"); else the first two of its letters a to z. Null where it has none.
 */
export function stateCode(given: string): string | null {
  const known = spellings.get(given);
  if (known !== undefined) return known;
  // Codes of ISO 3166-2, such as "US-CA", would be "us" for every state.
  const letters = given
    .toLowerCase()
    .replace(/^(us|ca)-(?=[a-z]{2}$)/, '')
    .replace(/[^a-z]/g, '');
  if (letters === '') return null;
  const code = letters.length === 2 ? letters : codeOfName(foldedName(given));
  if (code !== undefined && spellings.size < spellingsMax) spellings.set(given, code);
  return code ?? letters.slice(0, 2);
}

function codeOfName(name: string): string | undefined {
  return codes.get(name) ?? states.find((one) => name.includes(one.name))?.code;
}
