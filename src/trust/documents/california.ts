import { escapedWords } from '../../platform/http/plain_page.ts';
import { publicPage } from '../forms/index.ts';
import type { Facts } from './facts.ts';
import { list, type Section, table, text } from './paper.ts';
import { linesOfClasses, type Pen } from './words.ts';

/**
 * What the profile `us` adds to the notice: the words of the California Consumer Privacy Act (Civil Code § 1798.100 to
 * § 1798.199) and of its regulations (11 CCR § 7000 and following) for what the rest of the notice says. No legal advice.
 */
export function californiaSection(pen: Pen, facts: Facts, organisation: NonNullable<Facts['organisation']>): Section {
  const kept = (ids: readonly string[]) =>
    [...new Set(linesOfClasses(facts, ids).map((line) => line.kept))].join('; ') || 'not stored';
  const identifiers =
    facts.visitorStorage.length === 0
      ? 'a number for one day on one site'
      : 'a number for one day on one site; where a page asks for storage mode a random id; what the site says of you by an explicit call (a user id, an address, a name)';
  return {
    title: 'If you live in California',
    blocks: [
      text(
        'This is the notice at collection that the California Consumer Privacy Act asks for. It says in the words of that law what the rest of this document says.',
      ),
      table(
        ['category', 'what of it is collected', 'what for', 'kept'],
        [
          ['identifiers', identifiers, 'to tell visits from each other', kept(['D2', 'D4'])],
          [
            'internet or other network activity',
            'pages that are opened, where you came from, the kind of browser and device, events that the site sends',
            'to count visits of the site',
            kept(['D3']),
          ],
          ['geolocation', 'country, region and city, never a precise place', 'to count visits by place', kept(['D3'])],
          ['sensitive personal information', 'none', '', ''],
        ],
      ),
      text(
        'It comes from your browser and from the pages that you open. Nothing of it is sold, and nothing is shared for advertising across sites; so it was in the last twelve months, also for people under 16. Who receives something stands above, under “Who gets it”.',
      ),
      list([
        'You may know what is stored about you, have a copy, have it corrected, and have it deleted.',
        'You may opt out of a sale or of sharing. A browser that sends Global Privacy Control has done so, without a form: it is not recognised on a later day, and nothing that it does is tied to you.',
        'An authorised agent may ask for you. The desk mails you, and you say that they may.',
        'Nobody is treated worse for asking.',
      ]),
      text(
        `Ask on the page /request/${organisation.slug} of this desk, or write to ${pen.need(organisation.party.contact, 'the contact for questions about data of the organisation')}. To opt out: /opt-out/${organisation.slug}. An answer comes within 30 days, which is sooner than the 45 that the law gives.`,
      ),
    ],
  };
}

/**
 * The page behind the link “Do not sell or share my personal information” (11 CCR § 7013). It reads the signal that a
 * browser sends (§ 7025), so that whoever has one need not fill in anything.
 * @param signal did this browser send Global Privacy Control?
 * @param contact where to write; null where it was not entered
 * @param canMail a form works only while the desk can mail the proof
 */
export function optOutPage(
  { name, slug, foot }: { name: string; slug: string; foot: string },
  { signal, contact, canMail }: { signal: boolean; contact: string | null; canMail: boolean },
): string {
  const who = escapedWords(name);
  const signalWords = signal
    ? '<p><strong>Your browser sends Global Privacy Control.</strong> It is taken as your opt-out on every page that is measured for them: you are not recognised on a later day, and nothing is tied to you. There is nothing to fill in.</p>'
    : '<p>Your browser does not send Global Privacy Control. One that does is opted out on every page that is measured for them, without a form.</p>';
  const form = canMail
    ? `<form method="post" action="/request/${slug}"><input type="hidden" name="kind" value="objection"><label>The address by which they know you<input name="email" type="email" maxlength="254" required autocomplete="email"></label><label>Only if you ask for somebody else as their authorised agent: your name<input name="agent" maxlength="120"></label><button>Opt out</button></form><p class="q">A mail shows that the address is yours. Then what is stored of it stays unused, from that moment on, and new calls that name you store nothing. For something else <a href="/request/${slug}">ask here</a>.</p>`
    : `<p>This desk sends no mail at present, so the form is closed. Write to ${contact === null ? 'them' : escapedWords(contact)}.</p>`;
  return publicPage(
    'Do not sell or share my personal information',
    `<p>${who} sells nothing of what this desk stores about visitors, and shares nothing of it for advertising across sites.</p>${signalWords}<p>Do they know you by an address, because you have an account or a subscription with them? Then opt out of every use of it here, too.</p>${form}<p class="q"><a href="/legal/${slug}">Documents of ${who}</a></p>`,
    foot,
  );
}
