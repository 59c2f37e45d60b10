import { type ReactNode, useState } from 'react';
import { Glyph, Icon } from '../controls/icons.tsx';
import { timeText } from '../period/words.ts';

/** One line of a log, as its list shows it. */
export interface LogLine {
  key: number;
  at: string;
  what: ReactNode;
  /** The column of its own that a log has. */
  beside: ReactNode;
  outcome: 'done' | 'refused' | 'failed';
  isAlert: boolean;
  opened: () => ReactNode;
}

/** Lines of a log, each of which opens in its place. */
export function LogList({ lines, beside }: { lines: LogLine[]; beside: { head: string; className: string } }) {
  const [open, setOpen] = useState<number>();
  return (
    <>
      <div className="au-row log-names" aria-hidden="true">
        <span>Time</span>
        <span>What</span>
        <span>{beside.head}</span>
        <span>Outcome</span>
      </div>
      <ol className="au-list">
        {lines.map((one) => (
          <li key={one.key} className={one.isAlert ? 'alert' : undefined}>
            <button
              type="button"
              className="au-row"
              aria-expanded={open === one.key}
              onClick={() => setOpen(open === one.key ? undefined : one.key)}
            >
              <time dateTime={one.at} title={one.at}>
                {timeText(one.at)}
              </time>
              <span className="au-what">{one.what}</span>
              <span className={beside.className}>{one.beside}</span>
              <span className="au-out">
                {one.outcome !== 'done' && (
                  <>
                    <Glyph state="bad" />
                    {one.outcome === 'refused' ? 'Refused' : 'Failed'}
                  </>
                )}
              </span>
              <Icon name={open === one.key ? 'down' : 'right'} />
            </button>
            {open === one.key && one.opened()}
          </li>
        ))}
      </ol>
    </>
  );
}
