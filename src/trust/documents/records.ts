import { noticeDays } from '../../../contract/documents.ts';
import type { Facts } from './facts.ts';
import { titled, whoAnswers } from './notices.ts';
import { list, type MapWay, type Paper, table, text } from './paper.ts';
import {
  basesOf,
  carriedOut,
  categoriesOf,
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

const endings: Readonly<Record<string, string>> = {
  night: 'the nightly run, with a receipt',
  clock: 'a timer of its own; the night looks whether anything is left',
  life: 'with the site, the person or the organisation',
  size: 'newer lines',
  never: 'it stays',
};

/** The one document of all windows (RET-13), made from the table that the nightly run works by. */
export function retentionPolicy(_pen: Pen, facts: Facts): Paper {
  return {
    kind: 'retention',
    title: titled('retention', facts),
    sections: [
      {
        title: 'What is kept, and for how long',
        blocks: [
          text(
            facts.organisation === undefined
              ? 'These are the longest windows. An organisation may make them shorter, and a site its own; nobody can make one longer.'
              : 'These are the windows that hold now. A site may keep its events for a shorter time; nobody can make a window longer.',
          ),
          table(
            ['what', 'class', 'kept', 'ended by', 'when it is erased'],
            facts.lines.map(({ line, kept }) => [line.holds, line.class, kept, endings[line.ends] ?? '', line.erasure]),
          ),
        ],
      },
      {
        title: 'Classes of data',
        blocks: [
          text('Every stored column and file has exactly one class. It decides who answers and how it is protected.'),
          table(
            ['class', 'what is in it', 'controller', 'protected by'],
            facts.classes.map((one) => [
              `${one.id} ${one.name}`,
              one.contents,
              one.role === 'processor'
                ? 'the organisation'
                : one.role === 'controller'
                  ? 'the operator'
                  : 'who set it up',
              one.protection,
            ]),
          ),
          text('Addresses and names of browsers of visitors (D1) are in memory only and never stored.'),
        ],
      },
      {
        title: 'How it ends',
        blocks: [
          list([
            'Every night what is past its window is removed. Each removal leaves a receipt with counts and a digest, and is looked at once more.',
            'A legal hold keeps what it matches until it is released, and is looked at again within 90 days. The clock goes on meanwhile.',
            'Who closes an account has 30 days to come back. Then the rows go and the key of the person is destroyed, so that what older backups have of it cannot be read.',
            'Backups are kept by their operator for the days that the operator has set, 30 at most.',
          ]),
        ],
      },
    ],
  };
}

/** Art. 30: what is processed, why, of whom, who gets it, how long, how it is protected. */
export function recordOfProcessing(pen: Pen, facts: Facts): Paper {
  return {
    kind: 'record-of-processing',
    title: titled('record-of-processing', facts),
    sections: [
      whoAnswers(pen, facts),
      ...carriedOut(facts).map((one, at) => ({
        title: one.name,
        blocks: [
          table(
            ['', ''],
            [
              ['Purpose', one.purpose],
              ['Basis', basesOf(facts, one)],
              ...(at === 0 ? interestOf(pen, facts).map((interest) => ['Legitimate interest', interest]) : []),
              ['Whose data', one.subjects],
              ['Categories', categoriesOf(facts, one)],
              ['Answered for by', answeredBy(facts, one.classes)],
              ['Recipients', recipientsOf(facts, one.classes)],
              ['Kept', spansOf(facts, one)],
            ],
          ),
        ],
      })),
      {
        title: 'Recipients and transfers',
        blocks:
          others(facts).length === 0
            ? [text('Nobody but this desk.')]
            : [table(receiverHead, receiverRows(others(facts)))],
      },
      { title: 'How it is protected', blocks: [list([...facts.measures])] },
    ],
  };
}

function answeredBy(facts: Facts, ids: readonly string[]): string {
  const roles = new Set(facts.classes.filter(({ id }) => ids.includes(id)).map(({ role }) => role));
  if (roles.has('either')) return 'who set it up';
  return roles.has('processor') ? 'the organisation as controller, the operator as its processor' : 'the operator';
}

function recipientsOf(facts: Facts, ids: readonly string[]): string {
  const found = others(facts).filter((one) => gets(one, ids));
  return found.length === 0 ? 'nobody else' : found.map(({ label }) => label).join(', ');
}

export function processingAgreement(pen: Pen, facts: Facts): Paper {
  const { organisation } = facts;
  const processed = facts.classes.filter(({ role }) => role === 'processor');
  const activity = carriedOut(facts).filter(({ classes }) =>
    classes.some((id) => processed.some((one) => one.id === id)),
  );
  const who = organisation?.name ?? 'the organisation';
  return {
    kind: 'processing-agreement',
    title: titled('processing-agreement', facts),
    sections: [
      {
        title: 'Parties',
        blocks: [
          text(
            organisation === undefined
              ? 'Between an organisation (the controller) and whoever runs the desk (the processor). Both are named in the copy of their own desk. Where both are the same, nothing has to be agreed.'
              : `Between ${who} (the controller) and the operator of the desk (the processor). Where both are the same, nothing has to be agreed.`,
          ),
          ...(organisation === undefined
            ? []
            : [
                table(['', 'Controller'], partyRows(pen, organisation.party, 'the organisation')),
                table(['', 'Processor'], partyRows(pen, facts.operator, 'the operator')),
              ]),
        ],
      },
      {
        title: 'What is processed',
        blocks: [
          table(
            ['purpose', 'whose data', 'kept'],
            activity.map((one) => [`${one.name}: ${one.purpose}`, one.subjects, spansOf(facts, one)]),
          ),
          table(
            ['class', 'what is in it'],
            processed.map(({ id, name, contents }) => [`${id} ${name}`, contents]),
          ),
          text('It is processed for as long as the organisation is on the desk, and for no purpose of the processor.'),
        ],
      },
      {
        title: 'What the controller does',
        blocks: [
          list([
            'It decides which sites are measured, and on what basis, and tells visitors so.',
            'It obtains consent where the law asks for it, before a site switches on anything that needs it.',
            'It sends no personal data in the addresses of pages, in names of events or in their properties.',
            'It answers the requests of its visitors; the desk gives it a register with their clock.',
          ]),
        ],
      },
      {
        title: 'What the processor does',
        blocks: [
          list([
            'It processes on documented instructions alone: what the organisation sets on the desk is such an instruction.',
            'Only people who are bound to secrecy have access to the machine.',
            'It helps to answer requests of data subjects, and to meet the duties of security, notice and assessment.',
            'It tells the controller of a breach without delay. The desk keeps a register of incidents with the clock of 72 hours.',
            'At the end it gives back what the controller wants to have, by the exports of the desk, and erases the rest as the windows below say.',
            'It shows that it keeps this: the page Trust, Proof, the audit log with its verifier, and the receipts of each night are open to the controller.',
          ]),
        ],
      },
      { title: 'How the data is protected', blocks: [list([...facts.measures])] },
      {
        title: 'Other processors',
        blocks: [
          others(facts).filter(({ role }) => role === 'processor').length === 0
            ? text('There are none.')
            : table(receiverHead, receiverRows(others(facts).filter(({ role }) => role === 'processor'))),
          text(
            `The list is published with its versions. Members of the organisation are told of a further one in the desk and by mail, ${noticeDays} days before it takes effect, and can object until then.`,
          ),
        ],
      },
      {
        title: 'Windows of what is processed',
        blocks: [
          table(
            ['what', 'class', 'kept', 'when it is erased'],
            linesOfClasses(
              facts,
              processed.map(({ id }) => id),
            ).map(({ line, kept }) => [line.holds, line.class, kept, line.erasure]),
          ),
        ],
      },
    ],
  };
}

/** Whose data, in which class, and who gets it: as columns of boxes with ways between them. */
export function dataMap(_pen: Pen, facts: Facts): Paper {
  const groups = carriedOut(facts);
  const subjects = [...new Set(groups.map((one) => one.subjects))];
  const receiving = others(facts).filter((one) => one.classes.length > 0 || one.role === 'processor');
  const ways: MapWay[] = [
    ...groups.map((one) => ({ from: `subject ${subjects.indexOf(one.subjects)}`, to: one.name })),
    ...groups.flatMap((group) =>
      receiving.filter((one) => gets(one, group.classes)).map((one) => ({ from: group.name, to: one.label })),
    ),
  ];
  return {
    kind: 'data-map',
    title: titled('data-map', facts),
    sections: [
      {
        title: 'From whom, what for, and to whom',
        blocks: [
          {
            kind: 'map',
            columns: [
              {
                title: 'Whose data',
                boxes: subjects.map((words, at) => ({ id: `subject ${at}`, title: upper(words), words: '' })),
              },
              {
                title: 'What for, and how long',
                boxes: groups.map((one) => ({
                  id: one.name,
                  title: one.name,
                  words: `${one.classes.filter((id) => facts.classes.some((stored) => stored.id === id)).join(', ')}: ${agesOf(facts, one.classes)}`,
                })),
              },
              {
                title: 'Who else gets some of it',
                boxes:
                  receiving.length === 0
                    ? [{ id: 'nobody', title: 'Nobody', words: '' }]
                    : receiving.map((one) => ({ id: one.label, title: one.label, words: one.sent })),
              },
            ],
            ways,
          },
        ],
      },
    ],
  };
}

/** The spans that are an age; where none is, what the first lasts until. A picture has room for no more. */
function agesOf(facts: Facts, ids: readonly string[]): string {
  const all = linesOfClasses(facts, ids);
  const ages = all.filter(({ line }) => line.kept !== undefined).map(({ kept }) => kept);
  return [...new Set(ages)].join(', ') || (all[0]?.kept ?? 'not stored');
}

const upper = (words: string) => words.replace(/^./, (first) => first.toUpperCase());
