import { useRef, useState } from 'react';
import type { OrganisationArchive } from '../../../contract/organisation_archives.ts';
import { FormError } from '../controls/field.tsx';
import { Glyph } from '../controls/icons.tsx';
import { resting } from '../controls/resting.ts';
import { asDeskError, type DeskError } from '../desk/api.ts';
import { useWhileVisible } from '../desk/live.ts';
import { readerDay, readerToday } from '../edge/reader.ts';
import { bytes, exactCount } from '../numbers/format.ts';
import { dayText } from '../period/words.ts';
import { organisations } from './wire.ts';

/** As on the page of exports: one that is being made is asked about often. */
const busyMs = 1_500;
const quietMs = 30_000;
const isPending = ({ state }: OrganisationArchive) => state === 'waiting' || state === 'running';

/** Everything of the organisation as one file: made in the background, fetched here, gone after a week. */
export function Archives({ organisation, name }: { organisation: number; name: string }) {
  const [found, setFound] = useState<OrganisationArchive[]>();
  const [problem, setProblem] = useState<DeskError>();
  const [asking, setAsking] = useState(false);
  const [said, setSaid] = useState('');
  const [attempt, setAttempt] = useState(0);
  const before = useRef<OrganisationArchive[]>([]);
  useWhileVisible(
    async (signal) => {
      try {
        const { archives } = await organisations.archives(organisation, signal);
        if (signal.aborted) return;
        const ended = archives.find(
          (one) => !isPending(one) && before.current.some((old) => old.id === one.id && isPending(old)),
        );
        if (ended !== undefined)
          setSaid(ended.state === 'done' ? 'The archive is ready.' : 'The archive was not made.');
        before.current = archives;
        setFound(archives);
      } catch (error) {
        if (!signal.aborted) setProblem(asDeskError(error));
      }
    },
    () => (before.current.some(isPending) ? busyMs : quietMs),
    [organisation, attempt],
  );
  const act = async (work: () => Promise<unknown>) => {
    setProblem(undefined);
    setAsking(true);
    try {
      await work();
      setAttempt((count) => count + 1);
    } catch (error) {
      setProblem(asDeskError(error));
    } finally {
      setAsking(false);
    }
  };
  const isBusy = found?.some(isPending) ?? true;
  return (
    <div className="archives">
      <p>
        One ZIP with the sites and what is set on them, members, registers, policy, documents, the audit log and every
        event of {name}, each file with its SHA-256. Secrets are not in it. Events go into a desk again with an import.
      </p>
      {found !== undefined && found.length > 0 && (
        <ul>
          {found.map((one) => (
            <li key={one.id}>
              <Line one={one} />
              <span className="archive-acts">
                {one.state === 'done' && !one.withheld && (
                  <a
                    className="btn sm"
                    href={organisations.archiveAddress(organisation, one.id)}
                    download
                    aria-label={`Download the archive of ${dayText(readerDay(one.created_at), readerToday())}`}
                  >
                    Download
                  </a>
                )}
                {!one.held && (
                  <button
                    type="button"
                    className="btn quiet danger sm"
                    aria-label={`${isPending(one) ? 'Cancel' : 'Delete'} the archive of ${dayText(readerDay(one.created_at), readerToday())}`}
                    onClick={() => void act(() => organisations.removeArchive(organisation, one.id))}
                    {...resting(asking)}
                  >
                    {isPending(one) ? 'Cancel' : 'Delete'}
                  </button>
                )}
              </span>
            </li>
          ))}
        </ul>
      )}
      <FormError message={problem?.message} reference={problem?.reference} />
      <div className="go">
        <button
          type="button"
          className="btn"
          onClick={() => void act(() => organisations.makeArchive(organisation))}
          {...resting(asking || isBusy)}
        >
          {found?.some(isPending) ? 'Being made' : 'Make an archive'}
        </button>
      </div>
      <p className="vh" role="status">
        {said}
      </p>
    </div>
  );
}

function Line({ one }: { one: OrganisationArchive }) {
  const today = readerToday();
  if (one.state === 'failed')
    return (
      <span className="archive-state">
        <Glyph state="bad" />
        <span>
          <b>Not made.</b> {one.failure}
        </span>
      </span>
    );
  if (one.state === 'done' && one.withheld)
    return (
      <span className="archive-state">
        <Glyph state="idle" />
        <span>
          <b>{dayText(readerDay(one.created_at), today)}, kept, not given.</b> The data of somebody was restricted or
          erased since. Make another one: it leaves them out.
        </span>
      </span>
    );
  if (one.state === 'done')
    return (
      <span className="archive-state">
        <Glyph state="ok" />
        <span>
          <b>{dayText(readerDay(one.created_at), today)}</b>, {bytes(one.bytes)}, {exactCount(one.rows)} rows.{' '}
          <span className="q">
            {one.held
              ? 'Kept while a legal hold lasts.'
              : `Kept until ${one.expires_at === null ? '–' : dayText(readerDay(one.expires_at), today)}.`}
          </span>
        </span>
      </span>
    );
  return (
    <span className="archive-state">
      <progress max={Math.max(1, one.sites)} value={one.sites_done} aria-label="Progress of the archive" />
      <span className="q">
        {one.state === 'waiting'
          ? 'Waits for its turn'
          : `${exactCount(one.sites_done)} of ${exactCount(one.sites)} sites, ${exactCount(one.rows)} rows`}
      </span>
    </span>
  );
}
