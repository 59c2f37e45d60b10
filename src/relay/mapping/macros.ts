/**
 * Trackers and networks write a template such as `payout={payout}` and fill it in when they call. What they do not know
 * stays as it was written, and would be taken for a value.
 */

const name = '[A-Za-z_][\\w.:-]{0,63}';
const whole = new RegExp(
  `^(?:\\{\\{? ?(${name}) ?\\}?\\}|\\$\\{(${name})\\}|%%?(${name})%%?|\\[\\[?(${name})\\]?\\]|\\$(${name})\\$|##?(${name})##?|<(${name})>|__(${name}?)__)$`,
);
const within = new RegExp(`\\{\\{?(${name})\\}\\}?`);
/** An id of Windows is written in braces too. */
const guid = /^\{[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}$/i;

/**
 * The name in a macro that was left as it is: `{payout}`, `{{payout}}`, `${payout}`, `%payout%`, `[payout]`, `$payout$`,
 * `#payout#`, `<payout>`, `__PAYOUT__`.
 * @param isShort ids and amounts hold no braces of their own: there one in the middle (`click-{id}`) counts too
 */
export function macroIn(text: string, isShort = false): string | undefined {
  const given = text.trim();
  if (given.length > 512 || guid.test(given)) return undefined;
  const found = whole.exec(given) ?? (isShort ? within.exec(given) : null);
  return found?.slice(1).find((one) => one !== undefined);
}
