import { Empty } from '../overview/states.tsx';

/** In the place of a page that the reader's role does not include: what is missing, and who can give it. */
export function Denied({ what }: { what: string }) {
  return (
    <div className="settings wide">
      <div className="list">
        <Empty title={`Your role does not include ${what}.`}>An owner of the organisation can change it.</Empty>
      </div>
    </div>
  );
}
