import type { MailBlock } from './message.ts';

/** A message as it is sent: one subject, the same words as HTML and as text, and its pictures inside. */
export interface Letter {
  subject: string;
  html: string;
  text: string;
  /** PNG in base64 each, named in the HTML by `cid:`. */
  pictures: { cid: string; png: string }[];
}

export interface Frame {
  /** Name of the desk in the foot of the letter: the host of its address. */
  desk: string;
  /** Who answers: the operator of the desk, and the organisation on whose behalf it is written; a line each. */
  who: readonly string[];
  /** The page on which one click ends such mail; service mail has none. */
  unsubscribe: string | undefined;
}

/** What a letter may be, all of it together; the tables of a report with their picture are a tenth. */
export const letterBytesMax = 1_000_000;
const subjectMax = 200;
/** Of the first column of a table as text; as HTML it is whole and wraps. */
const nameMax = 50;

const ink = { text: '#1c1f23', quiet: '#5b6470', line: '#d9dee4', page: '#f4f6f8', card: '#ffffff', accent: '#0b5cad' };
const dark = {
  text: '#e8ebee',
  quiet: '#a3adb8',
  line: '#363d45',
  page: '#14171a',
  card: '#1d2126',
  accent: '#7ab8f5',
};
const face = "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
const mono = 'font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace';

/**
 * Colours stand twice: in each element for programs that read nothing else, and by class for those that know the
 * reader's scheme. Nothing is fetched: no picture, no font, no pixel, and links are as they were given.
 */
const styles = `
:root{color-scheme:light dark;supported-color-schemes:light dark}
@media (prefers-color-scheme:dark){
.page{background:${dark.page}!important}.card{background:${dark.card}!important;border-color:${dark.line}!important}
.text{color:${dark.text}!important}.quiet{color:${dark.quiet}!important}.line{border-color:${dark.line}!important}
.code{background:${dark.page}!important;color:${dark.text}!important}
.link{color:${dark.accent}!important}.button{background:${dark.accent}!important}.button a{color:#10151a!important}
}
@media (max-width:480px){.card{padding:24px 20px 4px!important}.foot{padding:16px 20px!important}.page-cell{padding:12px 8px!important}}`;

/**
 * @throws RangeError when it is larger than {@link letterBytesMax}
 */
export function drawLetter(
  { subject, blocks }: { subject: string; blocks: readonly MailBlock[] },
  frame: Frame,
): Letter {
  const pictures: Letter['pictures'] = [];
  const bodies = blocks.map((block) => {
    if (block.kind !== 'picture') return htmlOf(block);
    const cid = `picture-${pictures.length + 1}@fairlead`;
    pictures.push({ cid, png: block.png.toString('base64') });
    // Its words stand below it, since many programs show no picture until they are asked to.
    return `<p style="margin:0 0 4px"><img src="cid:${cid}" alt="" width="${block.width}" height="${block.height}" style="display:block;width:100%;max-width:${block.width}px;height:auto;border:0"></p>
<p class="quiet" style="margin:0 0 20px;font-size:13px;line-height:20px;color:${ink.quiet}">${escapeHtml(block.words)}</p>`;
  });
  const title = oneLine(subject).slice(0, subjectMax);
  const letter: Letter = {
    subject: title,
    html: page(title, bodies.join('\n'), frame),
    text: `${blocks.map(textOf).join('\n\n')}\n\n-- \n${footText(frame)}\n`,
    pictures,
  };
  const bytes =
    Buffer.byteLength(letter.html) +
    Buffer.byteLength(letter.text) +
    pictures.reduce((sum, { png }) => sum + png.length, 0);
  if (bytes > letterBytesMax)
    throw new RangeError(
      `A message has ${bytes} bytes, and ${letterBytesMax} is the most. Say less, or use a smaller picture.`,
    );
  return letter;
}

/** Line breaks and control characters would begin another header. */
export function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what has to go.
  return text.replace(/[\u0000-\u001f\u007f\u0085\u2028\u2029]+/g, ' ').trim();
}

function page(title: string, body: string, frame: Frame): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">
<title>${escapeHtml(title)}</title><style>${styles}</style></head>
<body class="page" style="margin:0;padding:0;background:${ink.page}">
<table role="presentation" class="page" width="100%" cellpadding="0" cellspacing="0" border="0" style="background:${ink.page}"><tr><td class="page-cell" align="center" style="padding:32px 16px">
<!--[if mso]><table role="presentation" width="600" cellpadding="0" cellspacing="0" border="0"><tr><td><![endif]-->
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:600px"><tr><td class="card" style="background:${ink.card};border:1px solid ${ink.line};border-radius:8px;padding:32px 32px 12px;${face}">
<h1 class="text" style="margin:0 0 20px;font-size:20px;line-height:28px;font-weight:600;color:${ink.text}">${escapeHtml(title)}</h1>
${body}
</td></tr><tr><td class="quiet foot" style="padding:16px 32px;${face};font-size:13px;line-height:20px;color:${ink.quiet}">${footHtml(frame)}</td></tr></table>
<!--[if mso]></td></tr></table><![endif]-->
</td></tr></table>
</body></html>`;
}

function footHtml({ desk, who, unsubscribe }: Frame): string {
  const stop = unsubscribe === undefined ? '' : `<br>${anchor(unsubscribe, 'Stop this kind of mail')}`;
  return `Sent by Fairlead at ${escapeHtml(desk)}.${who.map((line) => `<br>${escapeHtml(line)}`).join('')}${stop}`;
}

function footText({ desk, who, unsubscribe }: Frame): string {
  return `${[`Sent by Fairlead at ${desk}.`, ...who].join('\n')}${unsubscribe === undefined ? '' : `\nStop this kind of mail: ${unsubscribe}`}`;
}

function htmlOf(block: Exclude<MailBlock, { kind: 'picture' }>): string {
  const paragraph = `margin:0 0 20px;font-size:15px;line-height:24px`;
  switch (block.kind) {
    case 'text':
      return `<p class="text" style="${paragraph};color:${ink.text}">${lines(block.text)}</p>`;
    case 'note':
      return `<p class="quiet" style="margin:0 0 20px;font-size:13px;line-height:20px;color:${ink.quiet}">${lines(block.text)}${block.link === undefined ? '' : ` ${anchor(block.link.href, block.link.label)}`}</p>`;
    case 'code':
      return `<p class="code" style="margin:0 0 20px;padding:12px 16px;border-radius:6px;background:${ink.page};color:${ink.text};${mono};font-size:18px;line-height:28px;word-break:break-all">${escapeHtml(block.text)}</p>`;
    case 'button':
      return `<table role="presentation" cellpadding="0" cellspacing="0" border="0" style="margin:0 0 12px"><tr><td class="button" style="border-radius:6px;background:${ink.accent}"><a href="${escapeHtml(safeLink(block.href))}" style="display:inline-block;padding:12px 20px;${face};font-size:15px;line-height:20px;font-weight:600;color:#ffffff;text-decoration:none">${escapeHtml(block.label)}</a></td></tr></table>
<p class="quiet" style="margin:0 0 20px;font-size:13px;line-height:20px;color:${ink.quiet};word-break:break-all">Or open ${anchor(block.href, block.href)}</p>`;
    case 'facts':
      return `<table cellpadding="0" cellspacing="0" border="0" width="100%" style="margin:0 0 20px;border-collapse:collapse">${block.rows
        .map(
          ([name, value]) =>
            `<tr><th scope="row" class="quiet line" align="left" valign="top" style="padding:8px 16px 8px 0;border-bottom:1px solid ${ink.line};font-size:13px;line-height:20px;font-weight:400;color:${ink.quiet};white-space:nowrap">${escapeHtml(name)}</th><td class="text line" width="100%" style="padding:8px 0;border-bottom:1px solid ${ink.line};font-size:15px;line-height:20px;color:${ink.text}">${lines(value)}</td></tr>`,
        )
        .join('')}</table>`;
    case 'table':
      return `<table cellpadding="0" cellspacing="0" border="0" width="100%" style="margin:0 0 20px;border-collapse:collapse"><tr>${block.heads
        .map(
          (head, at) =>
            `<th scope="col" class="quiet line" align="${at === 0 ? 'left' : 'right'}" style="padding:6px ${at === 0 ? '12px 6px 0' : '0 6px 12px'};border-bottom:1px solid ${ink.line};font-size:13px;line-height:20px;font-weight:400;color:${ink.quiet};white-space:nowrap">${escapeHtml(head)}</th>`,
        )
        .join('')}</tr>${block.rows
        .map(
          (row) =>
            `<tr>${row
              .map(
                (cell, at) =>
                  `<${at === 0 ? 'th scope="row"' : 'td'} class="text line" align="${at === 0 ? 'left' : 'right'}" style="padding:6px ${at === 0 ? '12px 6px 0' : '0 6px 12px'};border-bottom:1px solid ${ink.line};font-size:14px;line-height:20px;font-weight:400;color:${ink.text};${at === 0 ? 'word-break:break-word' : 'font-variant-numeric:tabular-nums;white-space:nowrap'}">${escapeHtml(cell)}</${at === 0 ? 'th' : 'td'}>`,
              )
              .join('')}</tr>`,
        )
        .join('')}</table>`;
  }
}

function textOf(block: MailBlock): string {
  switch (block.kind) {
    case 'text':
      return block.text;
    case 'note':
      return block.link === undefined ? block.text : `${block.text}\n${block.link.label}: ${block.link.href}`;
    case 'code':
      return `    ${block.text}`;
    case 'button':
      return `${block.label}:\n${block.href}`;
    case 'facts':
      return block.rows.map(([name, value]) => `${name}: ${value}`).join('\n');
    case 'table':
      return tableText([block.heads, ...block.rows]);
    case 'picture':
      return block.words;
  }
}

/** Columns side by side: words from the left, numbers from the right. */
function tableText(given: readonly (readonly string[])[]): string {
  const rows = given.map(([name = '', ...cells]) => [shortened(name), ...cells]);
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => (row[at] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Programs that show text break lines after some 78 characters. What tells two paths apart is often their end. */
function shortened(name: string): string {
  const letters = [...name];
  if (letters.length <= nameMax) return name;
  const half = (nameMax - 1) / 2;
  return `${letters.slice(0, Math.ceil(half)).join('')}…${letters.slice(-Math.floor(half)).join('')}`;
}

function anchor(href: string, label: string): string {
  return `<a class="link" href="${escapeHtml(safeLink(href))}" style="color:${ink.accent}">${escapeHtml(label)}</a>`;
}

/** Templates link to this desk and, at most, to other web pages; nothing else is an address to click. */
function safeLink(href: string): string {
  return /^https?:\/\//.test(href) ? href : '#';
}

function lines(text: string): string {
  return escapeHtml(text).replaceAll('\n', '<br>');
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
