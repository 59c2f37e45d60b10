import { useState } from 'react';
import type { MailStateName, SentMail } from '../../../contract/mail.ts';
import { Link } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { ComingRows } from '../controls/coming.tsx';
import { FormError } from '../controls/field.tsx';
import { Glyph } from '../controls/icons.tsx';
import type { DeskError } from '../desk/api.ts';
import { asDeskError } from '../desk/api.ts';
import { mailApi } from '../desk/mail_api.ts';
import { useReading } from '../desk/reading.ts';
import { momentText } from '../edge/reader.ts';
import { Empty, Failed } from '../overview/states.tsx';
import { reasonWords } from './held_back.tsx';

type Sent = SentMail['mail'][number];

const stateWords: Record<MailStateName, { words: string; glyph: 'ok' | 'bad' | 'idle' | 'off' }> = {
  waiting: { words: 'Waiting', glyph: 'idle' },
  sent: { words: 'Sent', glyph: 'ok' },
  failed: { words: 'Not delivered', glyph: 'bad' },
  suppressed: { words: 'Held back', glyph: 'off' },
  unwanted: { words: 'Turned off by you', glyph: 'off' },
  not_sent_mail_off: { words: 'Not sent: mail is off', glyph: 'off' },
  inbox: { words: 'In the inbox of this desk', glyph: 'ok' },
};
const whyText = ({ state, reason }: Pick<Sent, 'state' | 'reason'>) => {
  if (reason === null || state === 'unwanted' || state === 'not_sent_mail_off') return undefined;
  if (reason.startsWith('gave_up')) return 'the mail server took it at none of six tries';
  return (
    reasonWords[reason] ?? (state === 'waiting' ? 'the mail server did not take it, and is asked again' : undefined)
  );
};
/** `new_device` reads as “New device”. */
const kindText = (template: string) => {
  if (template === 'reset') return 'Password reset';
  const words = template.replace(/^notice_/, 'notification: ').replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
};

/** What this desk has written to me, and what became of it. */
export function AccountMail() {
  const list = useReading(mailApi.sent);
  const [older, setOlder] = useState<{ mail: Sent[]; next: number | null }>();
  const [refusal, setRefusal] = useState<DeskError>();
  const rows = [...(list.answer?.mail ?? []), ...(older?.mail ?? [])];
  const next = older === undefined ? (list.answer?.next ?? null) : older.next;
  const more = async () => {
    if (next === null) return;
    try {
      const answer = await mailApi.sent(next);
      setOlder({ mail: [...(older?.mail ?? []), ...answer.mail], next: answer.next });
    } catch (error) {
      setRefusal(asDeskError(error));
    }
  };
  return (
    <div className="settings wide">
      <section>
        <h2>Sent to you</h2>
        <p>Kind, time and outcome of each message, for twelve months. Its words are not kept.</p>
        <p>
          What comes by mail, and what is off, is chosen under{' '}
          <Link className="link" href={pathOf({ page: 'account', section: 'notifications' })}>
            Notifications
          </Link>
          .
        </p>
        <div className="list many">
          {list.problem !== undefined ? (
            <Failed {...list.problem} onRetry={list.reload} what="Your mail could not be read." />
          ) : list.answer === undefined ? (
            <ComingRows what="your mail" heads={['Message', 'To', 'Written', 'Outcome']} rows={6} />
          ) : rows.length === 0 ? (
            <Empty title="No mail yet.">Links to sign in, invitations and alerts to you are listed here.</Empty>
          ) : (
            <table>
              <thead>
                <tr>
                  <th scope="col">Message</th>
                  <th scope="col">To</th>
                  <th scope="col">Written</th>
                  <th scope="col">Outcome</th>
                </tr>
              </thead>
              <tbody>
                {rows.map((row) => (
                  <tr key={row.id}>
                    <td className="fill">
                      <b>{kindText(row.template)}</b>
                    </td>
                    <td data-head="To">{row.to ?? 'an address that was erased'}</td>
                    <td data-head="Written">{momentText(row.at)}</td>
                    <td data-head="Outcome">
                      <span className={`st ${stateWords[row.state].glyph}`}>
                        <Glyph state={stateWords[row.state].glyph} />
                        <span>
                          {stateWords[row.state].words}
                          {whyText(row) !== undefined && `: ${whyText(row)}`}
                        </span>
                      </span>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </div>
        <FormError message={refusal?.message} reference={refusal?.reference} />
        {next !== null && (
          <div className="go">
            <button type="button" className="btn" onClick={() => void more()}>
              Show older
            </button>
          </div>
        )}
      </section>
    </div>
  );
}
