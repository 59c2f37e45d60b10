import type { RelayUpload } from '../../../../contract/relay_uploads.ts';
import { Glyph } from '../../controls/icons.tsx';
import { counted, exactCount } from '../../numbers/format.ts';
import { momentText } from './moment.ts';
import { outcomeText } from './words.ts';

/** What came of the files of the last days. */
export function Past({
  past,
  zone,
  mayChange,
  errorsAddress,
  onRemove,
}: {
  past: readonly RelayUpload[];
  zone: string;
  mayChange: boolean;
  errorsAddress: (id: number) => string;
  onRemove: (one: RelayUpload) => void;
}) {
  return (
    <div className="ru-past">
      <h4>Files of the last seven days</h4>
      <ul>
        {past.map((one) => (
          <li key={one.id}>
            <div>
              <b dir="auto">{one.file_name}</b>
              <span className="q">{momentText(one.finished_at ?? one.created_at, zone)}</span>
            </div>
            <div>
              <span className={`st ${glyphOf(one)}`}>
                <Glyph state={glyphOf(one)} />
                <span>{outcomeText(one)}</span>
              </span>
              <span className="q">
                {one.failure ??
                  `${counted(one.rows.read, 'row')}, ${exactCount(one.rows.doubles)} already there, ${exactCount(one.rows.wrong)} wrong`}
                {one.problems.beyond > 0 && `, ${counted(one.problems.beyond, 'problem')} beyond the list`}
              </span>
            </div>
            <div className="ru-acts">
              {one.problems.listed > 0 && (
                <a className="btn sm" href={errorsAddress(one.id)} download>
                  Errors as CSV
                </a>
              )}
              {mayChange && (
                <button
                  type="button"
                  className="btn quiet sm"
                  aria-label={`Remove ${one.file_name} from the list`}
                  onClick={() => onRemove(one)}
                >
                  Remove
                </button>
              )}
            </div>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Rows that were wrong are counted beside it: the others were taken. */
function glyphOf({ state, rows }: RelayUpload): 'ok' | 'bad' | 'off' {
  if (state === 'failed') return 'bad';
  return state === 'cancelled' || rows.fresh + rows.doubles === 0 ? 'off' : 'ok';
}
