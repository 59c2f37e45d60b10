import { documentKinds, type LegalDocument } from '../../../contract/sign_up.ts';
import { escapedWords as escaped } from '../../platform/http/plain_page.ts';
import { legalPage as page } from '../../trust/documents/index.ts';
import { dayText } from '../people/when.ts';
import { documentNames } from './words.ts';

export interface Version extends LegalDocument {
  /** The UTC day on which it was taken back, and why. */
  withdrawn: { on: string; reason: string } | undefined;
}
const holding = (versions: readonly Version[]) => versions.find(({ withdrawn }) => withdrawn === undefined);

/** One version of a document, and where the others are. @param versions all of its kind, the newest first */
export function documentPage(document: Version & { text: string }, versions: readonly Version[], foot: string): string {
  const name = documentNames[document.kind];
  return page(
    name,
    `<h1>${name}</h1>
<p class="q">Version ${escaped(document.version)}, ${escaped(dayText(document.dated))}.${stateOf(document, holding(versions))}</p>
${document.withdrawn === undefined ? '' : `<p class="w">Withdrawn on ${dayText(document.withdrawn.on)}: ${escaped(document.withdrawn.reason)}</p>`}
${drawn(document.text)}
<nav><p><a href="/legal">All documents</a></p>${listOf(
      'Other versions',
      versions.filter(({ version }) => version !== document.version),
    )}</nav>${foot}`,
  );
}

function stateOf({ version, withdrawn }: Version, current: Version | undefined): string {
  if (current?.version === version) return ' It holds today.';
  const other =
    current === undefined ? 'none does' : `<a href="${current.path}">version ${escaped(current.version)}</a> does`;
  return ` It does not hold ${withdrawn === undefined ? 'any more' : 'and counts for nobody who accepted it'}: ${other}.`;
}

/** A document of which every version was withdrawn. */
export function noneHoldsPage(versions: readonly Version[], foot: string): string {
  const name = documentNames[(versions[0] as Version).kind];
  return page(
    name,
    `<h1>${name}</h1><p>No version holds today: each one was withdrawn.</p><nav><p><a href="/legal">All documents</a></p>${listOf('Versions', versions)}</nav>${foot}`,
  );
}

function listOf(title: string, versions: readonly Version[]): string {
  if (versions.length === 0) return '';
  const line = (one: Version) =>
    `<li><a href="${one.path}">Version ${escaped(one.version)}, ${escaped(dayText(one.dated))}</a>${one.withdrawn === undefined ? '' : `, withdrawn on ${dayText(one.withdrawn.on)}`}</li>`;
  return `<h2>${title}</h2><ul>${versions.map(line).join('')}</ul>`;
}

/** @param versions of every document, the newest first */
export function listPage(versions: readonly Version[], foot: string): string {
  const line = (kind: LegalDocument['kind']) => {
    const all = versions.filter((one) => one.kind === kind);
    if (all.length === 0) return '';
    const current = holding(all);
    return current === undefined
      ? `<li><a href="/legal/${kind}">${documentNames[kind]}</a>: no version holds today</li>`
      : `<li><a href="${current.path}">${documentNames[kind]}</a>, version ${escaped(current.version)}, ${escaped(dayText(current.dated))}</li>`;
  };
  return page(
    'Documents of this desk',
    `<h1>Documents of this desk</h1>${
      versions.length === 0
        ? '<p>Whoever runs this desk has published none.</p>'
        : `<ul>${documentKinds.map(line).join('')}</ul>`
    }${foot}`,
  );
}

export function missingPage(): string {
  return page(
    'Not here',
    '<h1>There is no such document here</h1><p>The link may be old or cut short. <a href="/legal">All documents</a></p>',
  );
}

/**
 * Plain text, with the three marks of Markdown that a contract needs: headings, lists, paragraphs. Everything else stays
 * as it was written.
 * @example drawn('# One\n\ntwo') // '<h2>One</h2>\n<p>two</p>'
 */
export function drawn(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .split(/\n\s*\n|(?<=^#{1,3} [^\n]*)\n/m)
    .map((block) => block.trim())
    .filter((block) => block !== '')
    .map(drawnBlock)
    .join('\n');
}

function drawnBlock(block: string): string {
  const heading = /^(#{1,3}) (.+)$/.exec(block);
  if (heading !== null) {
    const level = (heading[1] as string).length + 1;
    return `<h${level}>${escaped((heading[2] as string).trim())}</h${level}>`;
  }
  const lines = block.split('\n');
  if (lines.every((line) => /^\s*[-*] /.test(line)))
    return `<ul>${lines.map((line) => `<li>${escaped(line.replace(/^\s*[-*] /, ''))}</li>`).join('')}</ul>`;
  return `<p>${lines.map(escaped).join('<br>')}</p>`;
}
