import { useRef, useState } from 'react';
import type { ExportFormat, SiteExport, SiteExports } from '../../../contract/exports.ts';
import { Link } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { CallBox } from '../controls/call_box.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { FormError } from '../controls/field.tsx';
import { Glyph } from '../controls/icons.tsx';
import { resting } from '../controls/resting.ts';
import type { DeskError, Site } from '../desk/api.ts';
import { api, asDeskError, exportsPath } from '../desk/api.ts';
import { useWhileVisible } from '../desk/live.ts';
import { useRole, useSession } from '../desk/session.tsx';
import { now } from '../edge/browser.ts';
import { bytes, exactCount } from '../numbers/format.ts';
import { Empty } from '../overview/states.tsx';
import { localTime } from '../period/period.ts';
import { clockText, dayText, rangeText } from '../period/words.ts';
import { ListedTable } from '../settings/listed.tsx';
import { Shell } from '../shell/shell.tsx';
import { formatWords } from './formats.ts';
import './exports.css';

/** A page with an export that is being written asks this often; one where nothing happens looks whether a file is still there. */
const busyMs = 1_500;
const quietMs = 30_000;

const isPending = ({ state }: SiteExport) => state === 'waiting' || state === 'running';

/** How does everything of this site leave the desk? A format is chosen, its file is written in the background and fetched. */
export function ExportsPage({ site }: { site: Site }) {
  const role = useRole(site);
  return (
    <Shell site={site.domain} title="Exports" skipTo="Skip to the exports">
      <main className="wrap exports" id="main" tabIndex={-1}>
        {role === 'viewer' ? (
          <div className="list">
            <Empty title="Your role (viewer) does not include exports.">
              Owners, admins, analysts and marketers of this organisation can take its data away. Each list of the
              overview still gives its own file.
            </Empty>
          </div>
        ) : (
          <Exports site={site} />
        )}
      </main>
    </Shell>
  );
}

function Exports({ site }: { site: Site }) {
  const { found, problem, said, look, set } = useExports(site);
  const [refusal, setRefusal] = useState<DeskError>();
  const [starting, setStarting] = useState<ExportFormat>();
  const [removing, setRemoving] = useState<SiteExport>();
  const today = localTime(now(), site.timezone).day;
  const pending = new Set((found?.exports ?? []).filter(isPending).map(({ format }) => format));

  const start = async (format: ExportFormat) => {
    setRefusal(undefined);
    setStarting(format);
    try {
      const made = await api.startExport(site.domain, format);
      set((rows) => [made, ...rows]);
      look();
    } catch (error) {
      setRefusal(asDeskError(error));
    } finally {
      setStarting(undefined);
    }
  };
  const remove = async (one: SiteExport) => {
    setRefusal(undefined);
    try {
      await api.removeExport(site.domain, one.id);
      set((rows) => rows.filter(({ id }) => id !== one.id));
    } catch (error) {
      setRefusal(asDeskError(error));
    } finally {
      setRemoving(undefined);
    }
  };

  return (
    <>
      <p className="ex-answer">{found === undefined && problem !== undefined ? '' : answerText(found, today)}</p>
      <FormError message={refusal?.message} reference={refusal?.reference} />
      <section className="panel ex-formats" aria-label="New export">
        <header>
          <h2>New export</h2>
        </header>
        <ul>
          {(Object.keys(formatWords) as ExportFormat[]).map((format) => (
            <li key={format}>
              <div>
                <b>{formatWords[format].name}</b>
                <p>{formatWords[format].holds}</p>
                <p className="q">{formatWords[format].use}</p>
              </div>
              <button
                type="button"
                className="btn"
                aria-label={`${pending.has(format) ? 'Being written' : 'Export'}: ${formatWords[format].name}`}
                disabled={found === undefined || found.span === null}
                onClick={() => void start(format)}
                {...resting(starting !== undefined || pending.has(format))}
              >
                {pending.has(format) ? 'Being written' : 'Export'}
              </button>
            </li>
          ))}
        </ul>
      </section>
      <section aria-label="Files">
        <h2>Files</h2>
        <ListedTable
          what="the exports"
          listed={{
            rows: found?.exports,
            problem: found === undefined ? problem : undefined,
            settled: found !== undefined,
            reload: look,
            set,
          }}
          heads={['Format', 'State', 'Size', 'Started', 'Kept until']}
          empty={
            found?.span === null && !found.warehouse_away ? (
              <Empty
                title="There is nothing to export yet."
                action={
                  <Link className="btn sm" href={pathOf({ page: 'settings', site: site.domain, section: 'snippet' })}>
                    Show the snippet
                  </Link>
                }
              >
                An export holds the days that are over. The first one can be taken the day after the first event.
              </Empty>
            ) : (
              <Empty title="No exports yet.">
                Choose a format above. The file is written in the background, also when this page is closed, and stays
                for 7 days.
              </Empty>
            )
          }
          row={(one) => <Row one={one} site={site} today={today} onRemove={() => setRemoving(one)} />}
        />
      </section>
      {found !== undefined && <CallBox site={site.domain} call={{ method: 'GET', path: exportsPath(site.domain) }} />}
      <p className="vh" role="status">
        {said}
      </p>
      {removing !== undefined && (
        <RemoveDialog
          one={removing}
          today={today}
          onRemove={() => void remove(removing)}
          onClose={() => setRemoving(undefined)}
        />
      )}
    </>
  );
}

/** The list, asked again while the page is visible. `said` tells those who do not see it that a file is ready. */
function useExports(site: Site) {
  const [found, setFound] = useState<SiteExports>();
  const [problem, setProblem] = useState<DeskError>();
  const [said, setSaid] = useState('');
  const [attempt, setAttempt] = useState(0);
  const before = useRef<SiteExports>(undefined);
  useWhileVisible(
    async (signal) => {
      try {
        const next = await api.exports(site.domain, signal);
        if (signal.aborted) return;
        const ended = next.exports.find(
          (one) =>
            !isPending(one) &&
            before.current?.exports.some(({ id, ...old }) => id === one.id && isPending({ id, ...old })),
        );
        if (ended !== undefined)
          setSaid(`${formatWords[ended.format].name}: ${ended.state === 'done' ? 'ready to download' : 'failed'}.`);
        before.current = next;
        setFound(next);
        setProblem(undefined);
      } catch (error) {
        if (!signal.aborted) setProblem(asDeskError(error));
      }
    },
    () => (before.current?.exports.some(isPending) ? busyMs : quietMs),
    [site.domain, attempt],
  );
  return {
    found,
    problem,
    said,
    look: () => setAttempt((count) => count + 1),
    set: (change: (rows: SiteExport[]) => SiteExport[]) =>
      setFound((now) => {
        if (now === undefined) return now;
        before.current = { ...now, exports: change(now.exports) };
        return before.current;
      }),
  };
}

function answerText(found: SiteExports | undefined, today: string): string {
  if (found === undefined) return '…';
  if (found.warehouse_away)
    return 'The warehouse does not answer now, so no export can be started. Files that are finished can be fetched.';
  if (found.span === null) return 'No day of this site is over yet, so there is nothing to take away.';
  const { first_day: from, last_day: to } = found.span;
  return `Everything of this site can leave the desk: ${rangeText({ from, to }, today, { year: true })}. Today is left out until it is over.`;
}

function Row({ one, site, today, onRemove }: { one: SiteExport; site: Site; today: string; onRemove: () => void }) {
  const { name } = formatWords[one.format];
  const span = rangeText({ from: one.first_day, to: one.last_day }, today);
  const startedBy = useSession().person.id;
  const started = Date.parse(one.created_at);
  const who = one.started_by === null ? 'by an API key' : one.started_by === startedBy ? 'by you' : 'by a colleague';
  return (
    <>
      <td className="ex-name">
        <b>{name}</b>
        <span className="q">{span}</span>
      </td>
      <td className="ex-state">
        <State one={one} />
      </td>
      <td data-head="Size" className={one.state === 'done' ? 'ex-size' : 'ex-size ex-none'}>
        {one.state === 'done' ? bytes(one.bytes) : '–'}
      </td>
      <td data-head="Started" className="ex-started">
        {dayText(localTime(started, site.timezone).day, today)}, {clockText(started, site.timezone)}{' '}
        <span className="q">{who}</span>
      </td>
      <td data-head="Kept until" className={one.expires_at === null ? 'ex-none' : ''}>
        {one.expires_at === null ? '–' : dayText(localTime(Date.parse(one.expires_at), site.timezone).day, today)}
      </td>
      <td className="ex-actions">
        {one.state === 'done' && !one.withheld && (
          <a
            className="btn sm"
            href={api.exportAddress(site.domain, one.id)}
            download={one.file_name}
            aria-label={`Download ${name}, ${span}`}
          >
            Download
          </a>
        )}
        <button
          type="button"
          className="btn quiet danger sm"
          aria-label={`${isPending(one) ? 'Cancel' : 'Delete'} ${name}, ${span}`}
          onClick={onRemove}
        >
          {isPending(one) ? 'Cancel' : 'Delete'}
        </button>
      </td>
    </>
  );
}

function State({ one }: { one: SiteExport }) {
  if (one.state === 'failed')
    return (
      <span className="ex-failed">
        <Glyph state="bad" />
        <span>
          <b>Failed.</b> {one.failure}
        </span>
      </span>
    );
  if (one.state === 'done' && one.withheld)
    return (
      <span className="ex-failed">
        <Glyph state="idle" />
        <span>
          <b>Kept, not given.</b> The data of somebody in it was restricted since. Export anew: it leaves them out.
        </span>
      </span>
    );
  if (one.state === 'done')
    return (
      <span className="ex-done">
        <Glyph state="ok" />
        Ready, {exactCount(one.rows)} {one.rows === 1 ? 'row' : 'rows'}
      </span>
    );
  const text =
    one.state === 'waiting'
      ? 'Waits for its turn'
      : one.days_done === one.days
        ? `All ${exactCount(one.days)} days, packing ${bytes(one.bytes)}`
        : `${exactCount(one.days_done)} of ${exactCount(one.days)} days, ${bytes(one.bytes)}`;
  return (
    <span className="ex-running">
      <progress max={one.days} value={one.days_done} aria-label={`Progress of ${formatWords[one.format].name}`} />
      <span className="q">{text}</span>
    </span>
  );
}

function RemoveDialog({
  one,
  today,
  onRemove,
  onClose,
}: {
  one: SiteExport;
  today: string;
  onRemove: () => void;
  onClose: () => void;
}) {
  const pending = isPending(one);
  const what = `${formatWords[one.format].name}, ${rangeText({ from: one.first_day, to: one.last_day }, today)}`;
  return (
    <Dialog label={`${pending ? 'Cancel' : 'Delete'} ${what}`} className="small" onClose={onClose}>
      <div className="dialog-head">
        <h2>{pending ? 'Cancel this export?' : one.state === 'failed' ? 'Remove this line?' : 'Delete this file?'}</h2>
      </div>
      <p className="q2">
        {what}.{' '}
        {pending
          ? 'What is written so far is deleted. It can be started again.'
          : one.state === 'failed'
            ? 'There is no file behind it.'
            : 'The file is deleted from the desk at once. The numbers of the site stay, and the file can be written again.'}
      </p>
      <div className="editor-foot">
        <button type="button" className="btn danger" onClick={onRemove}>
          {pending ? 'Cancel export' : one.state === 'failed' ? 'Remove' : 'Delete file'}
        </button>
        <button type="button" className="btn quiet" onClick={onClose}>
          {pending ? 'Go on writing' : 'Keep it'}
        </button>
      </div>
    </Dialog>
  );
}
