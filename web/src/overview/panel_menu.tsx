import { useState } from 'react';
import { Icon } from '../controls/icons.tsx';
import { Popover } from '../controls/popover.tsx';
import { resting } from '../controls/resting.ts';
import type { QueryAnswer, QueryRequest } from '../desk/api.ts';
import { api, asDeskError } from '../desk/api.ts';
import { saveFile } from '../edge/browser.ts';
import { csvText } from '../numbers/csv.ts';
import { cellNumber, exactCount, isMoney } from '../numbers/format.ts';
import { declaredDimension } from '../questions/dimensions.ts';
import { metricWords } from '../questions/metrics.ts';
import type { Column, PanelTab } from '../questions/panels.ts';
import type { AskedWith } from './asked_with.ts';
import { cellsOf, headOf, rowsOf } from './panel.tsx';
import { Reasons } from './why.tsx';

const fileFormats = [
  { format: 'csv', label: 'CSV' },
  { format: 'xlsx', label: 'XLSX' },
] as const;
const csvType = 'text/csv;charset=utf-8';

/** The most rows that the desk gives at once; a longer list is read in as many parts as it takes. */
const partRows = 10_000;

export interface PanelMenuProps {
  title: string;
  tab: PanelTab;
  site: string;
  askedWith: AskedWith;
  /** The question behind the rows that are shown; the same without its page is behind all of them. */
  question: QueryRequest;
  answer: QueryAnswer | undefined;
  shown: number;
  total: number;
  totalOf: (metric: Column['metric']) => number | null;
  /** Opens the list of all rows; left out where it is open. */
  onAll?: () => void;
}

/** What can be done with a list beside reading it: all rows, the file of what is seen, and why its numbers are these. */
export function PanelMenu(props: PanelMenuProps) {
  const [open, setOpen] = useState(false);
  const [why, setWhy] = useState(false);
  const { plural } = declaredDimension(props.tab.dimension);
  return (
    <Popover
      label={`More about ${plural}`}
      align="end"
      width={why ? 420 : 248}
      open={open}
      onOpenChange={(opened) => {
        setOpen(opened);
        setWhy(false);
      }}
      button={(button) => (
        <button type="button" className="btn quiet icon sm more" aria-label={`More about ${plural}`} {...button}>
          <Icon name="more" />
        </button>
      )}
    >
      {(close) =>
        why ? (
          <ListReasons {...props} />
        ) : (
          <Actions {...props} plural={plural} close={close} onWhy={() => setWhy(true)} />
        )
      }
    </Popover>
  );
}

function Actions({
  plural,
  close,
  onWhy,
  ...props
}: PanelMenuProps & { plural: string; close: () => void; onWhy: () => void }) {
  const { answer, shown, total, onAll } = props;
  const [state, setState] = useState<
    { kind: 'idle' } | { kind: 'reading'; rows: number } | { kind: 'failed'; message: string }
  >({ kind: 'idle' });
  const save = async (all: boolean, format: 'csv' | 'xlsx') => {
    if (answer === undefined) return;
    try {
      const answers = all ? await allOf(props, (rows) => setState({ kind: 'reading', rows })) : [answer];
      const made = format === 'csv' ? tableText(props, answers) : await tableWorkbook(props, answers);
      saveFile(fileName(props, format), typeof made === 'string' ? new Blob([made], { type: csvType }) : made);
      close();
    } catch (error) {
      setState({ kind: 'failed', message: asDeskError(error, 'The file was not made. Try again.').message });
    }
  };
  return (
    <>
      <ul className="choices">
        {onAll !== undefined && total > shown && (
          <li>
            <button
              type="button"
              className="choice"
              onClick={() => {
                close();
                onAll();
              }}
            >
              <span>All {plural}</span>
              <span className="q">{exactCount(total)}</span>
            </button>
          </li>
        )}
        {fileFormats.map(({ format, label }) => (
          <li key={`shown ${format}`}>
            <button type="button" className="choice" disabled={shown === 0} onClick={() => void save(false, format)}>
              <span>{label} of what is shown</span>
              <span className="q">{rowCount(shown)}</span>
            </button>
          </li>
        ))}
        {total > shown &&
          fileFormats.map(({ format, label }) => (
            <li key={`all ${format}`}>
              <button
                type="button"
                className="choice"
                onClick={() => void save(true, format)}
                {...resting(state.kind === 'reading')}
              >
                <span>
                  {label} of all {plural}
                </span>
                <span className="q">{rowCount(total)}</span>
              </button>
            </li>
          ))}
        <li>
          <button type="button" className="choice" onClick={onWhy}>
            Why these numbers
          </button>
        </li>
      </ul>
      <p className={state.kind === 'idle' ? 'vh' : 'pop-text'} role="status">
        {state.kind === 'reading'
          ? `Reading: ${exactCount(state.rows)} of ${rowCount(total)}.`
          : state.kind === 'failed'
            ? state.message
            : ''}
      </p>
    </>
  );
}

function ListReasons({ title, tab, askedWith, question, answer }: PanelMenuProps) {
  return (
    <Reasons
      title={`${title}: ${tab.group ?? tab.label}`}
      means={tab.columns.map((column) => ({
        name: column.head,
        text: column.means ?? metricWords[column.metric]?.definition ?? '',
      }))}
      left={tab.without === undefined ? [] : [tab.without.why]}
      {...askedWith}
      before={undefined}
      question={question}
      answer={answer}
    />
  );
}

const rowCount = (rows: number) => `${exactCount(rows)} ${rows === 1 ? 'row' : 'rows'}`;

async function allOf({ question }: PanelMenuProps, onPart: (rows: number) => void): Promise<QueryAnswer[]> {
  const answers: QueryAnswer[] = [];
  for (let read = 0; ; ) {
    onPart(read);
    const [part] = await api.ask([{ ...question, pagination: { limit: partRows, offset: read } }]);
    if (part === undefined || 'error' in part) throw new Error('A part of the list was not answered.');
    answers.push(part);
    read += part.results.length;
    if (part.results.length < partRows) return answers;
  }
}

/** Numbers as numbers and with their unit in the head, so that a sheet can go on from them; rounded as they are seen. */
function tableText({ tab, totalOf }: PanelMenuProps, answers: readonly QueryAnswer[]): string {
  const dimension = declaredDimension(tab.dimension);
  const rows = answers.flatMap((answer) =>
    rowsOf(answer, dimension).map((row) => ({ name: row.name, cells: cellsOf(tab, row, totalOf) })),
  );
  const currency = rows.flatMap(({ cells }) => cells.flatMap((cell) => (isMoney(cell) ? [cell.currency] : [])))[0];
  return csvText([
    [dimension.label, ...tab.columns.map((column) => headOf(column, currency))],
    ...rows.map(({ name, cells }) => [
      name,
      ...cells.map((cell) => (isMoney(cell) ? cell.value : rounded(cellNumber(cell)))),
    ]),
  ]);
}

/** The same with each number in a sheet's own format; what makes the file comes when it is asked for. */
async function tableWorkbook({ tab, totalOf }: PanelMenuProps, answers: readonly QueryAnswer[]): Promise<Blob> {
  const dimension = declaredDimension(tab.dimension);
  const { listWorkbook } = await import('./panel_sheet.ts');
  return listWorkbook(
    dimension.plural,
    dimension.label,
    tab.columns,
    answers.flatMap((answer) =>
      rowsOf(answer, dimension).map((row) => ({ name: row.name, cells: cellsOf(tab, row, totalOf) })),
    ),
  );
}

const rounded = (value: number | null) => (value === null ? null : Math.round(value * 10) / 10);

/** Site, list and days; never a filter's value, which could be about a person. */
function fileName({ site, tab, question }: PanelMenuProps, format: 'csv' | 'xlsx'): string {
  const [from = '', to = ''] = Array.isArray(question.date_range) ? question.date_range : [];
  const list = declaredDimension(tab.dimension)
    .plural.toLowerCase()
    .replace(/[^\p{L}\p{N}.]+/gu, '-');
  return `${site.replaceAll(':', '-')}_${list}_${from}_${to}.${format}`;
}
