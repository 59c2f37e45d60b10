import { useState } from 'react';
import type { SiteImport } from '../../../contract/imports.ts';
import { FormError } from '../controls/field.tsx';
import { resting } from '../controls/resting.ts';
import type { Site } from '../desk/api.ts';
import { bytes, exactCount, percent } from '../numbers/format.ts';
import { localTime } from '../period/period.ts';
import { dayText } from '../period/words.ts';
import { kindWords } from './kinds.ts';
import { FileBox } from './new_import.tsx';
import { Report } from './report.tsx';
import { pauseSending, resumeSending, sendFile, useSending } from './sending.ts';

/** The import that is not finished: how far it is, what would come of it, and the one next step. */
export function Current({
  one,
  site,
  today,
  mayChange,
  busy,
  onStart,
  onCancel,
}: {
  one: SiteImport;
  site: Site;
  today: string;
  mayChange: boolean;
  busy: boolean;
  onStart: () => void;
  onCancel: () => void;
}) {
  return (
    <section className="panel im-current" aria-label="Import at work">
      <header>
        <h2>
          {kindWords[one.kind].name}: <span className="im-file">{one.file_name}</span>
        </h2>
      </header>
      <div className="im-body">
        {one.state === 'uploading' && <Upload one={one} site={site} today={today} mayChange={mayChange} />}
        {one.state === 'checking' && <Step label="The desk looks through the file. Nothing is stored." one={one} />}
        {one.state === 'running' && <Step label="The import runs, also when this page is closed." one={one} />}
        {one.state === 'undoing' && <Step label="Everything of this import is being taken out again." one={one} />}
        {one.state === 'ready' && one.report !== null && (
          <>
            <p className="q2">{readyText(one)}</p>
            <Report one={one} report={one.report} today={today} />
          </>
        )}
        {mayChange && one.state !== 'undoing' && (
          <div className="editor-foot">
            {one.state === 'ready' && (one.report?.stored ?? 0) > 0 && (
              <button type="button" className="btn main-act" onClick={onStart} {...resting(busy)}>
                Import {exactCount(one.report?.stored ?? 0)} {one.report?.stored === 1 ? 'row' : 'rows'}
              </button>
            )}
            <button
              type="button"
              className={`btn danger ${one.state === 'ready' ? 'quiet' : ''}`}
              onClick={onCancel}
              {...resting(busy)}
            >
              {one.state === 'running' ? 'Cancel and take it out' : 'Cancel'}
            </button>
          </div>
        )}
      </div>
    </section>
  );
}

function readyText({ report }: SiteImport): string {
  if (report === null || report.stored === 0)
    return 'No row of this file would be stored. The table below says why; cancel it, and send another file.';
  return 'Nothing is stored yet. This is what would come:';
}

function Step({ label, one }: { label: string; one: SiteImport }) {
  const read = one.rows_read === 0 ? '' : `, ${exactCount(one.rows_read)} rows read`;
  return (
    <div className="im-step">
      <p className="q2">{label}</p>
      <progress max={1} {...(one.progress === null ? { value: 0 } : { value: one.progress })} aria-label="Progress" />
      <span className="q">
        {one.state === 'undoing'
          ? 'This takes a few seconds'
          : one.progress === null
            ? 'Waits for its turn'
            : `${percent(one.progress * 100)}${read}`}
      </span>
    </div>
  );
}

function Upload({ one, site, today, mayChange }: { one: SiteImport; site: Site; today: string; mayChange: boolean }) {
  const sending = useSending(one.id);
  const [wrong, setWrong] = useState<string>();
  const size = one.size ?? 0;
  const sent = Math.max(sending?.sent ?? 0, one.received);
  const goOn = (file: File) => {
    if (file.name !== one.file_name || file.size !== size)
      return setWrong(
        `This is ${file.name} with ${bytes(file.size)}. To go on, choose ${one.file_name} with ${bytes(size)}; to send another file, cancel first.`,
      );
    setWrong(undefined);
    sendFile(site.domain, one, file);
  };
  return (
    <div className="im-step">
      <progress max={size} value={sent} aria-label="Sent" />
      <span className="q">
        {bytes(sent)} of {bytes(size)} sent
        {sending?.state === 'waiting' && '. The line is lost; it is tried again'}
        {sending?.state === 'paused' && ', paused'}
      </span>
      {sending === undefined && mayChange && (
        <>
          <p className="q2">
            {one.next_part === null
              ? 'The file is here whole and was not looked through yet.'
              : `It was being sent from a page that is closed. Choose the same file to go on behind what is here${
                  one.expires_at === null
                    ? ''
                    : `; it is kept until ${dayText(localTime(Date.parse(one.expires_at), site.timezone).day, today)}`
                }.`}
          </p>
          {one.next_part === null ? (
            <button
              type="button"
              className="btn sm"
              onClick={() => sendFile(site.domain, one, new File([], one.file_name))}
            >
              Check it
            </button>
          ) : (
            <FileBox accept={kindWords[one.kind].accept} file={undefined} onFile={goOn} />
          )}
        </>
      )}
      <FormError message={wrong ?? (sending?.state === 'failed' ? sending.problem?.message : undefined)} />
      {sending !== undefined && (
        <div>
          {sending.state === 'sending' || sending.state === 'waiting' ? (
            <button type="button" className="btn sm" onClick={() => pauseSending(one.id)}>
              Pause
            </button>
          ) : (
            <button type="button" className="btn sm" onClick={() => resumeSending(one.id)}>
              Go on
            </button>
          )}
        </div>
      )}
    </div>
  );
}
