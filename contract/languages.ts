/**
 * The languages that numbers and dates are offered in on pages. `en` is what every organisation begins with and says
 * nothing about how numbers are written: its people keep what their browser says.
 */
export const plainLanguage = 'en';
export const languages = [
  ...['en-GB', 'en-US', 'de', 'fr', 'es', 'it', 'nl', 'pl', 'pt', 'sv', 'da', 'cs', 'ja'],
] as const satisfies readonly string[];
