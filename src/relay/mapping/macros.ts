/**
 * Trackers and networks write a template such as `payout={payout}` and fill it in when they call. What they do not know
 * stays as it was written, and would be taken for a value.
 */

const name = '[A-Za-z_][\\w.:-]{0,63}';
/** Nobody writes so but a tracker. */
const surely = new RegExp(`^(?:\\{\\{? ?(${name}) ?\\}?\\}|\\$\\{(${name})\\}|%%?(${name})%%?|\\$(${name})\\$)$`);
/** Trackers write so, and people who name a campaign `[Brand]`. */
const likely = new RegExp(`^(?:\\[\\[?(${name})\\]?\\]|##?(${name})##?|<(${name})>|__(${name}?)__)$`);
const within = new RegExp(`\\{\\{?(${name})\\}\\}?`);
/** An id of Windows is written in braces too. */
const guid = /^\{[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}$/i;
/** Any of them begins with one of these. */
const begins = '{$%[#<_';

/**
 * Most texts have nothing of a macro in them, and four patterns take longer than all else that is done with a value.
 * @param text trimmed
 */
export function mayHoldMacro(text: string): boolean {
  return text.includes('{') || begins.includes(text.charAt(0));
}

/**
 * The name in a macro that was left as it is: `{payout}`, `{{payout}}`, `${payout}`, `%payout%`, `$payout$`, and where
 * no person writes the text `[payout]`, `#payout#`, `<payout>`, `__PAYOUT__`.
 * @param of `words` are what people write (a campaign, a name); `code` is an id or an amount, which holds no braces of its
 * own, so that a macro in the middle (`click-{id}`) counts there too
 */
export function macroIn(text: string, of: 'words' | 'text' | 'code' = 'text'): string | undefined {
  const given = text.trim();
  if (!mayHoldMacro(given)) return undefined;
  if (given.length > 512 || guid.test(given)) return undefined;
  const found =
    surely.exec(given) ?? (of === 'words' ? null : likely.exec(given)) ?? (of === 'code' ? within.exec(given) : null);
  return found?.slice(1).find((one) => one !== undefined);
}
