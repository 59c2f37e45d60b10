/**
 * What a `mailto:` or `tel:` link holds belongs to a person (rule R12): the click and the mail domain are kept, the
 * address or number only where the site's switch `contact_clicks` is on, and then sealed, in a column of its own.
 */

const clickNames = /^(?:mailto|tel)\s?:?[\s_-]?click$/i;

/** Is this an event that our tracker, or another one, sends for a mail or phone link? */
export function isContactClick(name: string): boolean {
  return clickNames.test(name);
}

const contactScheme = /^\s*(?:mailto|tel|sms|smsto|callto|facetime(?:-audio)?|whatsapp|skype|sip|sips):/i;
const contactSign = /@|%40/i;
const numberShape = /^[+()\d\s./-]+$/;
/** Emergency numbers and short codes are shorter, and nobody's own. */
const numberDigitsMin = 6;

/** Does text begin like the address of a mail or phone link, whatever event carries it? */
export function isContactLink(text: string): boolean {
  return contactScheme.test(text);
}

/** In an event of a contact click: is this text, or does it hold, an address or a number? */
export function holdsContact(text: string): boolean {
  return contactSign.test(text) || isContactLink(text) || isNumber(text);
}

function isNumber(text: string): boolean {
  return numberShape.test(text) && text.replace(/\D/g, '').length >= numberDigitsMin;
}

/** The address or number alone: no scheme, and nothing of the letter that a link may bring (`?subject=…&body=…`). */
export function contactOf(text: string): string {
  const bare = text.replace(contactScheme, '');
  const mark = bare.indexOf('?');
  return (mark < 0 ? bare : bare.slice(0, mark)).trim();
}
