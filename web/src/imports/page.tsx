import { useRef, useState } from 'react';
import type { ImportKind, SiteImport } from '../../../contract/imports.ts';
import { Link, navigate, useAddress } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { CallBox } from '../controls/call_box.tsx';
import { CutPath } from '../controls/cut_path.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { FormError } from '../controls/field.tsx';
import { Glyph, Icon } from '../controls/icons.tsx';
import { resting } from '../controls/resting.ts';
import type { DeskError, Site } from '../desk/api.ts';
import { api, asDeskError, importsPath } from '../desk/api.ts';
import { useWhileVisible } from '../desk/live.ts';
import { useRole, useSession } from '../desk/session.tsx';
import { now } from '../edge/browser.ts';
import { exactCount } from '../numbers/format.ts';
import { Empty } from '../overview/states.tsx';
import { localTime } from '../period/period.ts';
import { clockText, dayText } from '../period/words.ts';
import { ListedTable } from '../settings/listed.tsx';
import { Shell } from '../shell/shell.tsx';
import { Current } from './current.tsx';
import { isBusy, isUnfinished, kindNames, kindWords } from './kinds.ts';
import { NewImport } from './new_import.tsx';
import { Report, spanText } from './report.tsx';
import { forgetSending } from './sending.ts';
import './imports.css';

/** A page where something happens asks this often; another one looks whether a colleague began something. */
const busyMs = 1_000;
const quietMs = 20_000;

/** What came from before? Files are sent, looked through, imported and taken out again. The form is in the address. */
export function ImportsPage({ site }: { site: Site }) {
  const role = useRole(site);
  const mayChange = role === 'owner' || role === 'admin';
  const { search } = useAddress();
  const asked = new URLSearchParams(search);
  const here = pathOf({ page: 'imports', site: site.domain });
  const { rows, problem, said, look, put } = useImports(site);
  const [refusal, setRefusal] = useState<DeskError>();
  const [busy, setBusy] = useState(false);
  const [undoing, setUndoing] = useState<SiteImport>();
  const today = localTime(now(), site.timezone).day;

  const current = rows?.find(isUnfinished);
  const newKind: ImportKind | undefined = asked.has('new')
    ? (kindNames.find((name) => name === asked.get('new')) ?? 'plausible')
    : undefined;
  const shown = rows?.find(({ id }) => String(id) === asked.get('import'));

  const act = async (work: () => Promise<unknown>) => {
    setRefusal(undefined);
    setBusy(true);
    try {
      await work();
    } catch (error) {
      setRefusal(asDeskError(error));
    } finally {
      setBusy(false);
      look();
    }
  };
  const remove = (one: SiteImport) =>
    act(async () => {
      forgetSending(one.id);
      put(one.id, await api.removeImport(site.domain, one.id));
      setUndoing(undefined);
    });

  return (
    <Shell site={site.domain} title="Imports" skipTo="Skip to the imports">
      <main className="wrap imports" id="main" tabIndex={-1}>
        <div className="im-top">
          <p>{answerText(rows, today)}</p>
          {mayChange && (
            <Link
              className={`btn main-act ${newKind === undefined && current === undefined ? '' : 'off'}`}
              aria-disabled={current !== undefined}
              href={current === undefined ? `${here}?new=plausible` : here}
            >
              <Icon name="plus" />
              Import
            </Link>
          )}
        </div>
        <FormError message={refusal?.message} reference={refusal?.reference} />
        {newKind !== undefined && current === undefined && rows !== undefined && mayChange && (
          <NewImport
            site={site}
            kind={newKind}
            here={here}
            onBegun={(made) => {
              put(made.id, made);
              navigate(here, { replace: true });
              look();
            }}
          />
        )}
        {current !== undefined && (
          <Current
            key={current.id}
            one={current}
            site={site}
            today={today}
            mayChange={mayChange}
            busy={busy}
            onStart={() => void act(async () => put(current.id, await api.startImport(site.domain, current.id)))}
            onCancel={() => (current.state === 'running' ? setUndoing(current) : void remove(current))}
          />
        )}
        {/* What stands under the import that runs waits for it, so that nothing moves when it comes. */}
        {(rows !== undefined || problem !== undefined) && (
          <section aria-label="Imports so far">
            <h2>Imports so far</h2>
            <ListedTable
              what="the imports"
              listed={{
                rows: rows?.filter((one) => one !== current),
                problem: rows === undefined ? problem : undefined,
                settled: rows !== undefined,
                reload: look,
                set: () => {},
              }}
              heads={['File', 'State', 'Days', 'Started']}
              empty={
                <Empty title="Nothing was imported yet.">
                  {mayChange
                    ? 'Numbers from Plausible, Umami, Google Analytics or an access log can stand beside those that are measured here.'
                    : 'Owners and admins of this organisation can bring numbers from another product along.'}
                </Empty>
              }
              row={(one) => (
                <Row
                  one={one}
                  site={site}
                  today={today}
                  here={here}
                  mayChange={mayChange}
                  onUndo={() => setUndoing(one)}
                  onRemove={() => void remove(one)}
                />
              )}
            />
          </section>
        )}
        {rows !== undefined && <CallBox site={site.domain} call={{ method: 'GET', path: importsPath(site.domain) }} />}
        <p className="vh" role="status">
          {said}
        </p>
        {shown?.report != null && (
          <Dialog label={`Report of ${shown.file_name}`} className="im-dialog" onClose={() => navigate(here)}>
            <div className="dialog-head">
              <h2>{shown.file_name}</h2>
              <button type="button" className="btn quiet icon" aria-label="Close" onClick={() => navigate(here)}>
                <Icon name="close" />
              </button>
            </div>
            <Report one={shown} report={shown.report} today={today} />
          </Dialog>
        )}
        {undoing !== undefined && (
          <UndoDialog
            one={undoing}
            site={site}
            today={today}
            busy={busy}
            onUndo={() => void remove(undoing)}
            onClose={() => setUndoing(undefined)}
          />
        )}
      </main>
    </Shell>
  );
}

/** The list, asked again while the page is visible. `said` tells those who do not see it that a step ended. */
function useImports(site: Site) {
  const [rows, setRows] = useState<SiteImport[]>();
  const [problem, setProblem] = useState<DeskError>();
  const [said, setSaid] = useState('');
  const [attempt, setAttempt] = useState(0);
  const before = useRef<SiteImport[]>([]);
  const keep = (next: SiteImport[]) => {
    const changed = next.find((one) => {
      const old = before.current.find(({ id }) => id === one.id);
      return old !== undefined && old.state !== one.state;
    });
    if (changed !== undefined) setSaid(`${changed.file_name}: ${stateWords[changed.state]}.`);
    before.current = next;
    setRows(next);
  };
  useWhileVisible(
    async (signal) => {
      try {
        const { imports } = await api.imports(site.domain, signal);
        if (signal.aborted) return;
        keep(imports);
        setProblem(undefined);
      } catch (error) {
        if (!signal.aborted) setProblem(asDeskError(error));
      }
    },
    () => (before.current.some((one) => isBusy(one) || one.state === 'uploading') ? busyMs : quietMs),
    [site.domain, attempt],
  );
  return {
    rows,
    problem,
    said,
    look: () => setAttempt((count) => count + 1),
    /** One line as the desk says it is now; undefined: it is gone. */
    put: (id: number, one: SiteImport | undefined) => {
      const others = before.current.filter((each) => each.id !== id);
      keep(one === undefined ? others : [one, ...others].sort((a, b) => b.id - a.id));
    },
  };
}

const stateWords: Readonly<Record<SiteImport['state'], string>> = {
  uploading: 'being sent',
  checking: 'being looked through',
  ready: 'looked through, waits for you',
  running: 'being imported',
  done: 'in the numbers',
  failed: 'failed',
  undoing: 'being taken out',
  undone: 'undone',
};

function answerText(rows: SiteImport[] | undefined, today: string): string {
  if (rows === undefined) return '…';
  const done = rows.filter(({ state, rows_stored: stored }) => state === 'done' && stored > 0);
  const firsts = done.flatMap(({ first_day: day }) => (day === null ? [] : [day])).sort();
  const lasts = done.flatMap(({ last_day: day }) => (day === null ? [] : [day])).sort();
  const [first, last] = [firsts[0], lasts.at(-1)];
  if (first === undefined || last === undefined) return 'Every number of this site was measured here.';
  return `${done.length === 1 ? 'One import holds' : `${exactCount(done.length)} imports hold`} numbers from before, ${spanText({ first_day: first, last_day: last }, today)}. Charts mark these days.`;
}

function Row({
  one,
  site,
  today,
  here,
  mayChange,
  onUndo,
  onRemove,
}: {
  one: SiteImport;
  site: Site;
  today: string;
  here: string;
  mayChange: boolean;
  onUndo: () => void;
  onRemove: () => void;
}) {
  const me = useSession().person.id;
  const started = Date.parse(one.created_at);
  const who =
    one.size === null
      ? 'on the command line'
      : one.started_by === null
        ? 'by an API key'
        : one.started_by === me
          ? 'by you'
          : 'by a colleague';
  const span =
    one.first_day === null || one.last_day === null
      ? '–'
      : spanText({ first_day: one.first_day, last_day: one.last_day }, today);
  return (
    <>
      <td className="im-name">
        <b title={one.file_name}>
          <CutPath text={one.file_name} />
        </b>
        <span className="q">{kindWords[one.kind].name}</span>
      </td>
      <td className="im-state">
        <State one={one} />
      </td>
      <td data-head="Days" className="im-days">
        {span}
      </td>
      <td data-head="Started" className="im-when">
        {dayText(localTime(started, site.timezone).day, today)}, {clockText(started, site.timezone)}{' '}
        <span className="q">{who}</span>
      </td>
      <td className="im-actions">
        {one.report !== null && (
          <Link className="btn quiet sm" href={`${here}?import=${one.id}`} aria-label={`Report of ${one.file_name}`}>
            Report
          </Link>
        )}
        {mayChange && one.state === 'done' && (
          <button type="button" className="btn quiet danger sm" aria-label={`Undo ${one.file_name}`} onClick={onUndo}>
            Undo
          </button>
        )}
        {mayChange && one.state === 'failed' && (
          <button type="button" className="btn quiet sm" aria-label={`Remove ${one.file_name}`} onClick={onRemove}>
            {one.size === null ? 'Take out' : 'Remove'}
          </button>
        )}
      </td>
    </>
  );
}

const rowsText = (rows: number) => `${exactCount(rows)} ${rows === 1 ? 'row' : 'rows'}`;

function State({ one }: { one: SiteImport }) {
  if (one.state === 'failed')
    return (
      <span className="im-word">
        <Glyph state="bad" />
        <span>
          <b>Failed.</b> {one.failure ?? 'It was cut off on the command line. What it stored can be taken out.'}
        </span>
      </span>
    );
  if (one.state === 'done')
    return (
      <span className="im-word">
        <Glyph state="ok" />
        <span>
          In the numbers, {rowsText(one.rows_stored)}
          {one.rows_dropped > 0 && <span className="q">, {exactCount(one.rows_dropped)} left out</span>}
        </span>
      </span>
    );
  if (one.state === 'undone') return <span className="q">Undone, nothing of it is left</span>;
  return <span className="q">{stateWords[one.state]}</span>;
}

function UndoDialog({
  one,
  site,
  today,
  busy,
  onUndo,
  onClose,
}: {
  one: SiteImport;
  site: Site;
  today: string;
  busy: boolean;
  onUndo: () => void;
  onClose: () => void;
}) {
  const running = one.state === 'running';
  const span =
    one.first_day === null || one.last_day === null
      ? ''
      : ` of ${spanText({ first_day: one.first_day, last_day: one.last_day }, today)}`;
  return (
    <Dialog label={`Undo ${one.file_name}`} className="small" onClose={onClose}>
      <div className="dialog-head">
        <h2>{running ? 'Cancel this import?' : 'Undo this import?'}</h2>
      </div>
      <p className="q2">
        {running
          ? `${one.file_name} is being imported. What is stored so far is taken out again, and its file is deleted.`
          : `${rowsText(one.rows_stored)}${span} ${one.rows_stored === 1 ? 'leaves' : 'leave'} the numbers of ${site.domain}. What was measured here stays. To bring them back, the file is sent again.`}
      </p>
      <div className="editor-foot">
        <button type="button" className="btn danger" onClick={onUndo} {...resting(busy)}>
          {running ? 'Cancel import' : `Undo ${rowsText(one.rows_stored)}`}
        </button>
        <button type="button" className="btn quiet" onClick={onClose}>
          {running ? 'Go on' : 'Keep it'}
        </button>
      </div>
    </Dialog>
  );
}
