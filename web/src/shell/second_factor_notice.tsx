import { Link } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import type { Session } from '../desk/api.ts';
import { useSession } from '../desk/session.tsx';
import { readerDay, readerToday } from '../edge/reader.ts';
import { dayText } from '../period/words.ts';
import { PageNotice } from './page_notice.tsx';
import { PlainPage } from './plain.tsx';

const security = pathOf({ page: 'account', section: 'security' });

/** Over every page while an organisation asks for a second factor and the reader has none: until when, and where. */
export function SecondFactorNotice() {
  const { organisations } = useSession();
  const asking = organisations
    .filter((one) => one.second_factor_due !== null)
    .sort((a, b) => String(a.second_factor_due).localeCompare(String(b.second_factor_due)));
  const [first] = asking;
  if (first === undefined || first.second_factor_due === null) return null;
  const day = dayText(readerDay(first.second_factor_due), readerToday());
  return (
    <PageNotice state="idle">
      {first.name} asks for a second factor.{' '}
      {first.is_second_factor_overdue
        ? 'It is closed to you until you have one.'
        : `From ${day} on it is closed to you without one.`}{' '}
      <Link href={security}>Set up an authenticator</Link>
    </PageNotice>
  );
}

export function isClosedWithoutFactor(session: Session): boolean {
  return session.organisations.some((one) => one.is_second_factor_overdue);
}

/** In the place of what the organisation keeps closed. */
export function SecondFactorNeeded() {
  return (
    <PlainPage title="A second factor is needed">
      <h1>A second factor is needed</h1>
      <p className="lede">
        This organisation asks its people for one, and the seven days to set it up are over. With an authenticator on
        your phone, or a passkey, everything is here again at once.
      </p>
      <Link className="btn main-act" href={security}>
        Set up an authenticator
      </Link>
    </PlainPage>
  );
}
