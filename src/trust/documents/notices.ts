import { type PaperKind, paperNames } from '../../../contract/documents.ts';
import { californiaSection } from './california.ts';
import type { Facts } from './facts.ts';
import { list, type Paper, type Section, table, text } from './paper.ts';
import {
  basisHead,
  basisRows,
  carriedOut,
  gets,
  interestOf,
  linesOfClasses,
  others,
  type Pen,
  partyRows,
  receiverHead,
  receiverRows,
  spansOf,
} from './words.ts';

const storageHead = ['where', 'name', 'what for', 'until'];
const storageRows = (all: Facts['storage']) => all.map((one) => [one.kind, one.name, one.purpose, one.until]);
const visitorClasses = ['D2', 'D3', 'D4'];
export const titled = (kind: PaperKind, facts: Facts) =>
  facts.organisation === undefined ? paperNames[kind] : `${paperNames[kind]}: ${facts.organisation.name}`;

/** Who answers: the organisation for visitors of its sites, the operator for accounts. */
export function whoAnswers(pen: Pen, facts: Facts): Section {
  const { organisation } = facts;
  if (organisation === undefined)
    return {
      title: 'Who answers',
      blocks: [
        text(
          'Fairlead is software that somebody runs on a machine of their own. For visitors of a measured site its organisation answers, as the controller; whoever runs the desk is its processor. For accounts whoever runs the desk answers. Both name themselves in the documents of their own desk, under /legal.',
        ),
      ],
    };
  return {
    title: 'Who answers',
    blocks: [
      text(`For visitors of its sites ${organisation.name} answers, as the controller.`),
      table(['', organisation.name], partyRows(pen, organisation.party, 'the organisation')),
      text(
        'Whoever runs this desk processes that data for it, and answers for the accounts of the desk as their controller.',
      ),
      table(['', 'Operator of the desk'], partyRows(pen, facts.operator, 'the operator')),
    ],
  };
}

export function privacyNotice(pen: Pen, facts: Facts): Paper {
  const { organisation } = facts;
  const visits = linesOfClasses(facts, visitorClasses);
  const receiving = others(facts).filter((one) => gets(one, visitorClasses));
  return {
    kind: 'privacy-notice',
    title: titled('privacy-notice', facts),
    sections: [
      whoAnswers(pen, facts),
      {
        title: 'When you visit a measured site',
        blocks: [
          text(
            'The address of your device and the name of your browser are used in memory, to tell the visits of one day from each other and to find the country, region and city. They are not stored. What is stored of them is a number for one day on one site; what it was made with is forgotten, so that nobody can work back to you afterwards.',
          ),
          ...(facts.visitorStorage.length === 0
            ? []
            : [
                text(
                  'Where a page asks for storage mode, and you have agreed where the law asks for it, your browser keeps a random id, and the number is made of that: it is the same on later days, until you take it back. What the site says of you by an explicit call (a user id, an address, a name) is then kept sealed, as a profile.',
                ),
              ]),
          text('This is what one event has:'),
          table(
            ['field', 'class', 'what it is'],
            facts.visitorFields.map((one) => [one.column, one.class, one.means]),
          ),
          text(
            `Why: ${(facts.activities[0] as Facts['activities'][number]).purpose}. On what basis, by where you are; a place that is not known counts as the EEA:`,
          ),
          table(
            basisHead,
            basisRows(facts, ({ about }) => about === 'visitors'),
          ),
          ...interestOf(pen, facts).map((interest) => text(`The legitimate interest is: ${interest}`)),
          ...(organisation === undefined
            ? [
                text(
                  'This is the table as it is shipped. An organisation may make it stricter, and its own notice says so.',
                ),
              ]
            : []),
          text('No decision about a person is made by a machine alone, and nothing is sold.'),
        ],
      },
      {
        title: 'How long that is kept',
        blocks: [
          table(
            ['what', 'class', 'kept', 'when it is erased'],
            visits.map(({ line, kept }) => [line.holds, line.class, kept, line.erasure]),
          ),
          text('A site may keep its events for a shorter time, and never for longer.'),
        ],
      },
      {
        title: 'Who gets it',
        blocks:
          receiving.length === 0
            ? [text('Nobody else. Places are found in a file on the machine, and no other company is asked.')]
            : [table(receiverHead, receiverRows(receiving))],
      },
      {
        title: 'When you have an account',
        blocks: [
          table(
            ['what for', 'whose data', 'kept'],
            carriedOut(facts)
              .slice(1)
              .map((one) => [`${one.name}: ${one.purpose}`, one.subjects, spansOf(facts, one)]),
          ),
          text('On what basis:'),
          table(
            basisHead,
            basisRows(facts, ({ about }) => about === 'accounts'),
          ),
          ...(others(facts).length === 0
            ? [text('Nobody else gets it.')]
            : [text('Who else gets something of it:'), table(receiverHead, receiverRows(others(facts)))]),
          text('Processing and retention says every kind of stored data with its window.'),
        ],
      },
      {
        title: 'What you can ask for',
        blocks: [
          list([
            'to see what is stored about you, and to have a copy',
            'to have it corrected or erased',
            'to have it only kept, and not used',
            'to take it with you',
            'to object',
          ]),
          text(
            'A request is answered within 30 days or one month, whichever is shorter. Somebody who asks is verified first. The number of a past day leads to nobody; what a site sends by itself (an order id, a property, the contact of a click that the site keeps) can be found and erased.',
          ),
          text(
            organisation === undefined
              ? 'Ask who answers. You can complain to a supervisory authority: that of the place where you live, where you work, or where you think that something went wrong.'
              : `Write to ${pen.need(organisation.party.contact, 'the contact for questions about data of the organisation')}. You can complain to a supervisory authority: ${pen.need(organisation.party.authority, 'the supervisory authority of the organisation')}, or that of the place where you live or work.`,
          ),
        ],
      },
      ...(organisation?.profile === 'us' ? [californiaSection(pen, facts, organisation)] : []),
      {
        title: 'When this changes',
        blocks: [
          text(
            'A further version is published with its date. Members of the organisation are told in the desk and by mail. Every version that was ever published stays.',
          ),
        ],
      },
    ],
  };
}

export function cookieDisclosure(pen: Pen, facts: Facts): Paper {
  const { organisation } = facts;
  return {
    kind: 'cookies',
    title: titled('cookies', facts),
    sections: [
      {
        title: 'On the device of a visitor',
        blocks: [
          text(
            'Nothing by itself. The tracker writes and reads no cookie, no localStorage, no sessionStorage and no other storage of the browser, and it shows no banner. It keeps one variable in the page, which is gone when the page is left.',
          ),
          ...(facts.visitorStorage.length === 0
            ? []
            : [
                text('Where a page asks for storage mode, and the visitor has agreed where the law asks for it:'),
                table(storageHead, storageRows(facts.visitorStorage)),
                text('It rests on:'),
                table(
                  basisHead,
                  basisRows(facts, ({ purpose }) => purpose === 'storage_measurement'),
                ),
              ]),
          text(
            'Pages of the desk that anybody may open (shared pages without a password, widgets, documents) store nothing either.',
          ),
        ],
      },
      {
        title: 'In the browser of who signs in to the desk, or opens a shared page with a password',
        blocks: [
          table(storageHead, storageRows(facts.storage)),
          text(
            'Each of them is needed for what was asked for, or is a choice of the person. None is for advertising, and none is read by anybody else. Without cookies nobody can sign in; everything else works.',
          ),
        ],
      },
      {
        title: 'What is measured',
        blocks: [
          text(
            'Visits are counted without storage on the device, unless a page asks for storage mode. A browser that says Do Not Track or Global Privacy Control can be left out altogether, if the site has chosen so.',
          ),
          text('The desk reports about itself to nobody unless its operator names a place in its settings.'),
        ],
      },
      ...(organisation === undefined
        ? []
        : [
            {
              title: 'Whom to ask',
              blocks: [
                text(pen.need(organisation.party.contact, 'the contact for questions about data of the organisation')),
              ],
            },
          ]),
    ],
  };
}
