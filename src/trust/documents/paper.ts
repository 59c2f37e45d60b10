import type { PaperKind } from '../../../contract/documents.ts';

/** A piece of a document: words, never markup. */
export type Block =
  | { kind: 'text'; words: string }
  | { kind: 'list'; items: string[] }
  | { kind: 'table'; head: string[]; rows: string[][] }
  | { kind: 'map'; columns: MapColumn[]; ways: MapWay[] };
export interface MapColumn {
  title: string;
  boxes: { id: string; title: string; words: string }[];
}
export interface MapWay {
  from: string;
  to: string;
}

export interface Section {
  title: string;
  blocks: Block[];
}

export interface Paper {
  kind: PaperKind;
  title: string;
  sections: Section[];
}

export const text = (words: string): Block => ({ kind: 'text', words });
export const list = (items: string[]): Block => ({ kind: 'list', items });
export const table = (head: string[], rows: string[][]): Block => ({ kind: 'table', head, rows });

/** @param source where the words come from, so that nobody edits what is written anew */
export function asMarkdown(paper: Paper, source: string): string {
  const parts = [
    `# ${plain(paper.title)}`,
    `<!-- ${source} -->`,
    ...paper.sections.flatMap(({ title, blocks }) => [`## ${plain(title)}`, ...blocks.map(markdownOf)]),
  ];
  return `${parts.join('\n\n')}\n`;
}

function markdownOf(block: Block): string {
  switch (block.kind) {
    case 'text':
      return plain(block.words);
    case 'list':
      return block.items.map((item) => `* ${plain(item)}`).join('\n');
    case 'table':
      return [block.head, block.head.map(() => '---'), ...block.rows]
        .map((row) => `| ${row.map((cell) => plain(cell).replaceAll('|', '\\|')).join(' | ')} |`)
        .join('\n');
    case 'map':
      return linesOfMap(block.columns, block.ways)
        .map((line) => `* ${plain(line)}`)
        .join('\n');
  }
}

/** What somebody entered stays in its line, and begins nothing. */
const plain = (words: string) => words.replaceAll(/\s*\n\s*/g, ', ').replaceAll('<', '&lt;');

/** The document as lines that are compared with those of another version: one for each sentence, item and row. */
export function linesOf(paper: Paper): string[] {
  return paper.sections.flatMap(({ title, blocks }) => [`# ${title}`, ...blocks.flatMap(linesOfBlock)]);
}

/** What a document says as facts and not as prose: the lines of its tables, lists and maps. */
export function factsIn(paper: Paper): string {
  const facts = paper.sections.flatMap(({ blocks }) => blocks.filter(({ kind }) => kind !== 'text'));
  return facts.flatMap(linesOfBlock).join('\n');
}

function linesOfBlock(block: Block): string[] {
  switch (block.kind) {
    case 'text':
      return [block.words];
    case 'list':
      return block.items;
    case 'table':
      return block.rows.map((row) =>
        row.map((cell, at) => (at === 0 ? cell : `${block.head[at]}: ${cell}`)).join('; '),
      );
    case 'map':
      return linesOfMap(block.columns, block.ways);
  }
}

/** A picture in words, for who does not see it. */
export function linesOfMap(columns: readonly MapColumn[], ways: readonly MapWay[]): string[] {
  const titles = new Map(columns.flatMap(({ boxes }) => boxes.map(({ id, title }) => [id, title])));
  return columns.flatMap(({ title, boxes }) =>
    boxes.map((box) => {
      const to = ways.filter(({ from }) => from === box.id).map((way) => titles.get(way.to));
      const words = box.words === '' ? '' : `: ${box.words}`;
      return `${title}, ${box.title}${words}${to.length === 0 ? '' : ` → ${to.join(', ')}`}`;
    }),
  );
}
