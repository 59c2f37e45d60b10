import { useState } from 'react';
import type { OwnSuppressions } from '../../../contract/mail.ts';
import { Link } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { FormError } from '../controls/field.tsx';
import type { DeskError } from '../desk/api.ts';
import { asDeskError } from '../desk/api.ts';
import { mailApi } from '../desk/mail_api.ts';
import { useReading } from '../desk/reading.ts';
import { momentText } from '../edge/reader.ts';

type Held = OwnSuppressions['suppressions'][number];

/** Why a message was held back, in the words of both pages that say so. */
export const reasonWords: Record<string, string> = {
  hard_bounce: 'there is no such mailbox',
  refused: 'the mail server refused it',
  quiet_hours: 'until your quiet hours end',
  unsubscribed: 'you unsubscribed',
  complaint: 'it was reported as unwanted',
  erasure: 'your data was erased',
  restricted: 'your data is kept and not used there',
};
const heldText = ({ kind, organisation, reason }: Held) => {
  const what = kind === null ? 'All mail' : kind === 'alert' ? 'Alerts' : 'Reports';
  const of = organisation === null ? '' : ` of ${organisation}`;
  return `${what}${of}: ${reasonWords[reason] ?? reason}`;
};

/** What does not come by mail, whatever is chosen above, and the way back. Shown only where something is: few people see it. */
export function HeldBack() {
  const held = useReading(mailApi.suppressions);
  const [refusal, setRefusal] = useState<DeskError>();
  const rows = held.answer?.suppressions ?? [];
  if (rows.length === 0) return null;
  const lift = async (row: Held) => {
    setRefusal(undefined);
    try {
      await mailApi.lift(row.id);
      held.reload();
    } catch (error) {
      setRefusal(asDeskError(error));
    }
  };
  return (
    <section>
      <h2>Off by mail</h2>
      <p>
        Mail to your address that this desk does not send, whatever is chosen above. What it did send is under{' '}
        <Link className="link" href={pathOf({ page: 'account', section: 'mail' })}>
          Mail to you
        </Link>
        .
      </p>
      <div className="list many">
        <table>
          <tbody>
            {rows.map((row) => (
              <tr key={row.id}>
                <td className="fill">
                  {heldText(row)}
                  <div className="q">since {momentText(row.at)}</div>
                </td>
                <td className="num">
                  {row.reason !== 'erasure' && (
                    <button
                      type="button"
                      className="btn quiet sm"
                      aria-label={`Switch on again: ${heldText(row)}`}
                      onClick={() => void lift(row)}
                    >
                      Switch on again
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <FormError message={refusal?.message} reference={refusal?.reference} />
    </section>
  );
}
