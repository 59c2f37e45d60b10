import type { Organisation } from '../desk/session.tsx';
import { PageNotice } from './page_notice.tsx';

/** Over every page about a suspended organisation or a site of it: why, what still works, and who can end it. */
export function SuspendedNotice({ organisation }: { organisation: Organisation | undefined }) {
  if (organisation?.status !== 'suspended') return null;
  return (
    <PageNotice state="bad">
      <b>{organisation.name} is suspended.</b> {organisation.status_reason} Its sites collect nothing; its numbers can
      be looked at, and owners can export them. Whoever runs this desk can end it.
    </PageNotice>
  );
}
