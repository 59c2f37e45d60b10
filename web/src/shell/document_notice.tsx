import { mailApi } from '../desk/mail_api.ts';
import { unreadChanged, useUnread } from '../notifications/unread.ts';
import { PageNotice } from './page_notice.tsx';

/** Over every page until it is read: a document of an organisation has another version (GOV-01, rule R16). */
export function DocumentNotice() {
  const { document: notice } = useUnread();
  if (notice === null) return null;
  // Where the desk does not answer the line stays, which is what it says.
  const read = () => void mailApi.read(notice.id, false).then(unreadChanged, () => {});
  return (
    <PageNotice state="idle">
      {notice.sentence}{' '}
      {notice.link !== null && (
        <a href={notice.link} target="_blank" rel="noreferrer" onClick={read}>
          Read it
        </a>
      )}{' '}
      <button type="button" className="link" onClick={read}>
        I have seen this
      </button>
    </PageNotice>
  );
}
