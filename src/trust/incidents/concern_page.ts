import { concernWordsMax } from '../../../contract/incidents.ts';
import { escapedWords as escaped } from '../../platform/http/plain_page.ts';
import { type Answering, publicPage } from '../forms/index.ts';

/** What somebody wrote, as it came: anything may be in it. */
export type Written = Readonly<Record<string, string>>;

/** The form, with what was written before: who is turned away loses none of it. */
export function concernForm(written: Written = {}): string {
  const value = (field: string) => escaped((written[field] ?? '').slice(0, concernWordsMax));
  return `<form method="post"><label>What happened<textarea name="said" rows="8" maxlength="${concernWordsMax}" required>
${value('said')}</textarea></label>
<label>The day on which it happened, if you know it<input name="happened_on" type="date" value="${value('happened_on')}"></label>
<label>Your e-mail address, only if you want an answer<input name="reach" type="email" maxlength="254" autocomplete="email" value="${value('reach')}"></label>
<button>Send</button></form>`;
}

export function concernPage(of: Answering, before: { written?: Written; wrong?: string } = {}): string {
  const name = escaped(of.name);
  const wrong =
    before.wrong === undefined ? '' : `<p role="alert"><strong>Not sent.</strong> ${escaped(before.wrong)}</p>`;
  return publicPage(
    `Report a concern to ${of.name}`,
    `<p>Tell ${name} of data that somebody should not have seen, that was lost, or that is used in another way than was said. Anybody can, with or without a name.</p>
${wrong}${concernForm(before.written)}
<p class="q">Whoever is responsible for privacy at ${name} reads it and decides what it is. Leave out passwords and data of other people. What you write is stored sealed; your address is deleted once it is decided that it is no incident, or the incident is closed.</p>`,
    of.foot,
  );
}

export const writtenPage = ({ name, foot }: Answering) =>
  publicPage(
    'Your concern was sent',
    `<p>${escaped(name)} hears of it now. If you left an address they can answer you.</p>
<p class="q">You can complain to the data protection authority of the country in which you live or work at any time.</p>`,
    foot,
  );
