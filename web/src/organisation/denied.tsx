import type { Organisation } from '../desk/session.tsx';
import { Empty } from '../overview/states.tsx';

/** In the place of a page that the reader's role does not include: what is missing, and who can give it. */
export function Denied({ what, organisation }: { what: string; organisation: Organisation | undefined }) {
  return (
    <div className="settings wide">
      <div className="list">
        <Empty title={deniedText(what, organisation)}>Owners and admins of this organisation can grant it.</Empty>
      </div>
    </div>
  );
}

/** The fact, with the name of the role: “Your role (viewer) does not include the teams.” */
export const deniedText = (what: string, organisation: Organisation | undefined) =>
  `Your role${organisation === undefined ? '' : ` (${organisation.role_name.replaceAll('-', ' ')})`} does not include ${what}.`;
