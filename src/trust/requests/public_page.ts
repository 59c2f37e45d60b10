import { escapedWords as escaped } from '../../platform/http/plain_page.ts';
import { type Answering, publicPage } from '../forms/index.ts';

export const askWords: readonly (readonly [string, string])[] = [
  ['access', 'Give me a copy of what you store about me'],
  ['portability', 'Give me my data so that I can take it elsewhere'],
  ['rectification', 'Correct what you store about me'],
  ['erasure', 'Erase what you store about me'],
  ['restriction', 'Keep my data, and do not use it'],
  ['objection', 'I object to how you use my data'],
  ['minor', 'You store data of somebody under 18: erase it'],
];

export function formPage(of: Answering): string {
  const name = escaped(of.name);
  return publicPage(
    `Your data at ${of.name}`,
    `<p>Ask ${name} about the data that it stores about you. A mail goes to the address below, with a link that shows whose it is; the request begins when it is opened. Where an agent asks, whoever opens it says that the agent may.</p>
<form method="post"><label>What you ask for<select name="kind">${askWords
      .map(([kind, words]) => `<option value="${kind}">${escaped(words)}</option>`)
      .join('')}</select></label>
<label>The e-mail address of the person whose data it is<input name="email" type="email" maxlength="254" required autocomplete="email"></label>
<label>Only for somebody under 18: the address or id by which they are known here<input name="about" maxlength="200"></label>
<label>Only if you ask for that person as their authorised agent: your name<input name="agent" maxlength="120"></label>
<button>Send</button></form>
${rights}`,
    of.foot,
  );
}

/** Where to complain stands wherever somebody asks (DSR-09). */
export const rights =
  '<p class="q">An answer comes within 30 days or one month, whichever ends first; about somebody under 18 within 72 hours. You can complain to the data protection authority of the country in which you live or work at any time. For the European Union they are listed at edpb.europa.eu, for the United Kingdom it is the ICO (ico.org.uk).</p>';

export const sentPage = ({ name, foot }: Answering) =>
  publicPage(
    'Look at your mail',
    `<p>If the address can be written to, a mail to it is on its way, with a link that begins your request at ${escaped(name)}. It works for a day. At most one such mail a day goes to an address.</p>${rights}`,
    foot,
  );
/** @param agent who asks for the person that the link was mailed to */
export const confirmPage = ({ name, foot }: Answering, kind: string, agent: string | undefined) =>
  publicPage(
    'Begin your request?',
    `<p>${escaped(name)} is asked: “${escaped(askWords.find(([one]) => one === kind)?.[1] ?? kind)}”.</p>${
      agent === undefined
        ? ''
        : `<p>“${escaped(agent)}” asks for you, as your authorised agent. By beginning the request you say that they may. The answer comes to you.</p>`
    }<form method="post"><button>Begin the request</button></form>${rights}`,
    foot,
  );
export const begunPage = ({ name, foot }: Answering, due: string) =>
  publicPage(
    'Your request has begun',
    `<p>${escaped(name)} answers by ${escaped(due)}, to the address that you have shown to be yours.</p>${rights}`,
    foot,
  );
export const goneLinkPage = publicPage(
  'This link does not work any more',
  '<p>It was used, or its time is over. You can ask again.</p>',
);
