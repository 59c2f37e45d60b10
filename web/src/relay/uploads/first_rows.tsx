import type { Conversion } from '../../../../contract/conversion.ts';
import type { UploadPreview } from '../../../../contract/relay_uploads.ts';
import { Glyph } from '../../controls/icons.tsx';
import { problemText } from './words.ts';

/** What becomes of the first rows of a file, each as a conversion or with what is in its way. */
export function FirstRows({ rows }: { rows: UploadPreview['rows'] }) {
  return (
    <div className="ru-rows">
      <h4>First rows, as conversions</h4>
      {rows.length === 0 ? (
        <p className="q2">There are no rows below the names of the columns.</p>
      ) : (
        <ol>
          {rows.map(({ row, conversion, is_ignored: isIgnored, problems }) => (
            <li key={row}>
              <span className="q">{row}</span>
              <div>
                {conversion !== null && (
                  <>
                    <span className="ru-line">
                      <b dir="auto">{conversion.event_name}</b>
                      {conversion.value !== undefined && (
                        <span>
                          {String(conversion.value)} {conversion.currency ?? ''}
                        </span>
                      )}
                      <span className="q">{conversion.occurred_at}</span>
                    </span>
                    <span className="q ru-ids" dir="auto">
                      {idsOf(conversion)}
                    </span>
                  </>
                )}
                {isIgnored && <span className="q2">No conversion, as the mapping says</span>}
                {problems.map((problem) => (
                  <span
                    className={`st ${conversion === null ? 'bad' : 'off'}`}
                    key={`${problem.field} ${problem.reason}`}
                  >
                    <Glyph state={conversion === null ? 'bad' : 'off'} />
                    <span>
                      {problemText(problem)}
                      {conversion === null ? '' : '; taken without it'}
                    </span>
                  </span>
                ))}
              </div>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}

/** By what a platform could know it, in one line. */
function idsOf({ order_id: order, event_id: event, click_ids: clicks = {}, user = {} }: Conversion): string {
  return [
    ...(order === undefined ? [] : [`order ${order}`]),
    ...(event === undefined ? [] : [`event ${event}`]),
    ...Object.entries(clicks).map(([name, value]) => `${name} ${value}`),
    ...Object.entries(user).map(([name, value]) => `${name} ${[value].flat().join(', ')}`),
  ].join(' · ');
}
