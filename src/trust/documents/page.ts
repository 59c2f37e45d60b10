import { escapedWords, plainPages } from '../../platform/http/plain_page.ts';
import { type Block, linesOfMap, type Paper } from './paper.ts';
import { drawMap } from './picture.ts';

const style =
  ':root{color-scheme:light dark}body{font:16px/1.6 system-ui,sans-serif;max-width:46rem;margin:8vh auto;padding:0 1.25rem;background:Canvas;color:CanvasText;overflow-wrap:anywhere}h1{font-size:1.5rem;line-height:1.3}h2{font-size:1.15rem;margin-top:2em}h3,h4{font-size:1rem;margin-top:1.5em}nav,footer{margin-top:3em}.q{opacity:.8}.w{border:1px solid;border-radius:6px;padding:.75em 1em}.w p{margin:0}.w p+p{margin-top:.5em}.t{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem;line-height:1.45}td,th{border-top:1px solid color-mix(in srgb,currentColor 25%,transparent);padding:.45em .9em .45em 0;text-align:left;vertical-align:top;min-width:6em}svg{width:100%;min-width:44rem;height:auto;color:CanvasText}@page{margin:16mm}@media print{body{max-width:none;margin:0;padding:0;font-size:10.5pt;background:#fff;color:#000}nav,details summary{display:none}h2,h3,h4{break-after:avoid}tr,li,.w{break-inside:avoid}thead{display:table-header-group}.t{overflow:visible}td,th{min-width:0;overflow-wrap:break-word}td:first-child{min-width:8em}tr:first-child{break-after:avoid}tr:last-child{break-before:avoid}footer{break-inside:avoid;margin-top:1.2em}svg{min-width:0;color:#000}a{color:inherit}}.v{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}';
const pages = plainPages(style, 'none');
export const pageHeaders = pages.headers;

/** @param body markup of our own, with every word of others escaped */
export const legalPage = (title: string, body: string) => pages.page(`${title} · Fairlead`, body);

/** The sections of a document as a page has them. */
export function drawnPaper(paper: Paper): string {
  return paper.sections
    .map(
      ({ title, blocks }) => `<h2>${escapedWords(title)}</h2>${blocks.map((one) => drawnBlock(one, title)).join('\n')}`,
    )
    .join('\n');
}

function drawnBlock(block: Block, title: string): string {
  switch (block.kind) {
    case 'text':
      return `<p>${inLines(block.words)}</p>`;
    case 'list':
      return `<ul>${block.items.map((item) => `<li>${inLines(item)}</li>`).join('')}</ul>`;
    case 'table':
      return drawnTable(block.head, block.rows, title);
    case 'map':
      return `<div class="t" tabindex="0" role="region" aria-label="${escapedWords(title)}">${drawMap(block.columns, block.ways, title)}</div><details><summary>The picture in words</summary><ul>${linesOfMap(
        block.columns,
        block.ways,
      )
        .map((line) => `<li>${escapedWords(line)}</li>`)
        .join('')}</ul></details>`;
  }
}

export function drawnTable(head: readonly string[], rows: readonly (readonly string[])[], title: string): string {
  const cells = (row: readonly string[]) => row.map((cell) => `<td>${inLines(cell)}</td>`).join('');
  const isNamed = head.some((one) => one !== '');
  return `<div class="t" tabindex="0" role="region" aria-label="${escapedWords(title)}"><table>${
    isNamed ? `<thead><tr>${head.map((one) => `<th scope="col">${escapedWords(one)}</th>`).join('')}</tr></thead>` : ''
  }<tbody>${rows.map((row) => `<tr>${cells(row)}</tr>`).join('')}</tbody></table></div>`;
}

const inLines = (words: string) => escapedWords(words).replaceAll('\n', '<br>');

/** '2026-11-29' as people read it, in a page that is the same for everybody. */
export function dayWords(day: string): string {
  return new Intl.DateTimeFormat('en', { dateStyle: 'long', timeZone: 'UTC' }).format(new Date(`${day}T00:00:00Z`));
}
