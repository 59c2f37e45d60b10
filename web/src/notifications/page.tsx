import { useState } from 'react';
import type { Notifications } from '../../../contract/mail.ts';
import { Link } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { ComingRows } from '../controls/coming.tsx';
import { FormError } from '../controls/field.tsx';
import type { DeskError } from '../desk/api.ts';
import { asDeskError } from '../desk/api.ts';
import { mailApi } from '../desk/mail_api.ts';
import { useReading } from '../desk/reading.ts';
import { momentText } from '../edge/reader.ts';
import { Empty, Failed } from '../overview/states.tsx';
import { Shell } from '../shell/shell.tsx';
import { unreadChanged } from './unread.ts';
import './notices.css';

type Notice = Notifications['notifications'][number];

/** What happened that concerns me? Unread first. */
export function NotificationsPage() {
  const reading = useReading(mailApi.notifications);
  const [older, setOlder] = useState<{ notices: Notice[]; next: number | null }>();
  const [refusal, setRefusal] = useState<DeskError>();
  const all = [...(reading.answer?.notifications ?? []), ...(older?.notices ?? [])];
  const next = older === undefined ? (reading.answer?.next ?? null) : older.next;
  const attempt = async (work: () => Promise<void>) => {
    setRefusal(undefined);
    try {
      await work();
    } catch (error) {
      setRefusal(asDeskError(error));
    }
  };
  const read = (id: number, andOlder: boolean) =>
    attempt(async () => {
      unreadChanged(await mailApi.read(id, andOlder));
      setOlder(undefined);
      reading.reload();
    });
  const more = () =>
    attempt(async () => {
      if (next === null) return;
      const answer = await mailApi.notifications(next);
      setOlder({ notices: [...(older?.notices ?? []), ...answer.notifications], next: answer.next });
    });
  const unread = all.filter((one) => !one.read);
  const newest = all[0];
  return (
    <Shell title="Notifications">
      <main className="wrap" id="main" tabIndex={-1}>
        <div className="settings wide">
          {reading.problem !== undefined ? (
            <Failed {...reading.problem} onRetry={reading.reload} what="Your notifications could not be read." />
          ) : reading.answer === undefined ? (
            <div className="list notices">
              <ComingRows what="your notifications" rows={6} lines={2} />
            </div>
          ) : all.length === 0 ? (
            <Empty
              title="Nothing happened yet."
              action={
                <Link className="btn sm" href={pathOf({ page: 'account', section: 'notifications' })}>
                  Choose what you hear of
                </Link>
              }
            >
              New devices, changes of your role, finished exports and imports are told here.
            </Empty>
          ) : (
            <>
              <FormError message={refusal?.message} reference={refusal?.reference} />
              <div className="go">
                {newest !== undefined && unread.length > 0 && (
                  <button type="button" className="btn" onClick={() => void read(newest.id, true)}>
                    Mark all as read
                  </button>
                )}
                <Link className="btn quiet" href={pathOf({ page: 'account', section: 'notifications' })}>
                  Choose what you hear of
                </Link>
              </div>
              {unread.length > 0 && <Part title="Unread" notices={unread} onRead={(id) => void read(id, false)} />}
              {unread.length < all.length && <Part title="Read" notices={all.filter((one) => one.read)} />}
              {next !== null && (
                <div className="go">
                  <button type="button" className="btn" onClick={() => void more()}>
                    Show older
                  </button>
                </div>
              )}
            </>
          )}
        </div>
      </main>
    </Shell>
  );
}

function Part({ title, notices, onRead }: { title: string; notices: Notice[]; onRead?: (id: number) => void }) {
  return (
    <section>
      <h2>{title}</h2>
      <div className="list notices">
        <table>
          <tbody>
            {notices.map((one) => (
              <tr key={one.id}>
                <td className="fill">
                  {one.link === null ? (
                    one.sentence
                  ) : one.link.startsWith('/legal/') ? (
                    // A page of the desk that is no part of the dashboard.
                    <a className="link" href={one.link} onClick={() => onRead?.(one.id)}>
                      {one.sentence}
                    </a>
                  ) : (
                    // Whoever goes where it leads has read it.
                    <Link className="link" href={one.link} onClick={() => onRead?.(one.id)}>
                      {one.sentence}
                    </Link>
                  )}
                  <div className="q">
                    {momentText(one.at)}
                    {one.organisation !== null && ` · ${one.organisation}`}
                  </div>
                </td>
                {onRead !== undefined && (
                  <td className="num">
                    <button
                      type="button"
                      className="btn quiet sm"
                      aria-label={`Mark as read: ${one.sentence}`}
                      onClick={() => onRead(one.id)}
                    >
                      Mark as read
                    </button>
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
