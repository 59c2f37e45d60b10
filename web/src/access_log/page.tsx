import { pathOf } from '../address/route.ts';
import { may, type Organisation } from '../desk/session.tsx';
import { deniedText } from '../organisation/denied.tsx';
import { Empty } from '../overview/states.tsx';
import { TrustFrame } from '../trust/trust_frame.tsx';
import { AccessLog } from './log.tsx';

/** Who asked for what of this organisation, from where: for its owners. */
export function AccessLogPage({ organisation }: { organisation: Organisation }) {
  return (
    <TrustFrame organisation={organisation} title="Access log" what="the access log" skipTo="the requests" name="audit">
      {may(organisation, 'organisation.take') ? (
        <AccessLog
          of={organisation.id}
          path={pathOf({ page: 'access-log', organisation: organisation.slug })}
          about="Requests of people and keys about this organisation and its sites, never of visitors. Kept for 90 days, and each reading is an entry of the audit log."
        />
      ) : (
        <div className="list">
          <Empty title={deniedText('the access log', organisation)}>
            Addresses of the people who work here stand in it: owners of this organisation can read it.
          </Empty>
        </div>
      )}
    </TrustFrame>
  );
}
