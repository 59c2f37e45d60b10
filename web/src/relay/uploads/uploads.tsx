import { useCallback, useMemo, useRef, useState } from 'react';
import { relayFileMost, relayUploadLimits } from '../../../../contract/limits.ts';
import type { RelayUpload } from '../../../../contract/relay_uploads.ts';
import { FormError } from '../../controls/field.tsx';
import { Glyph } from '../../controls/icons.tsx';
import { resting } from '../../controls/resting.ts';
import type { DeskError } from '../../desk/api.ts';
import { asDeskError } from '../../desk/api.ts';
import { useWhileVisible } from '../../desk/live.ts';
import { bytes, counted, exactCount, percent } from '../../numbers/format.ts';
import { uploadsOf } from './api.ts';
import { Columns } from './columns.tsx';
import { DropBox } from './drop_box.tsx';
import { Past } from './past.tsx';
import { isBusy, isOpen } from './words.ts';
import './uploads.css';

const busyMs = 1_000;
const quietMs = 20_000;

/** Files of one source: a file is dropped, its columns are said, it is tried as a whole, and then its conversions are taken. */
export function SourceUploads({
  organisation,
  source,
  mappingVersion,
  zone,
  mayChange,
  onMapped,
}: {
  organisation: number;
  source: number;
  /** The mapping in force; 0 = none yet. */
  mappingVersion: number;
  zone: string;
  mayChange: boolean;
  /** A new version of the mapping was saved. */
  onMapped: (version: number) => void;
}) {
  const calls = useMemo(() => uploadsOf(organisation, source), [organisation, source]);
  const [all, setAll] = useState<RelayUpload[]>();
  const [problem, setProblem] = useState<DeskError>();
  const [sent, setSent] = useState<number>();
  const [busy, setBusy] = useState(false);
  const sending = useRef(false);
  const open = all?.find(isOpen);

  const look = useCallback(
    async (signal?: AbortSignal) => {
      try {
        const { uploads } = await calls.list(signal);
        if (signal?.aborted !== true) setAll(uploads);
      } catch (error) {
        if (signal?.aborted !== true) setProblem(asDeskError(error));
      }
    },
    [calls],
  );
  useWhileVisible(look, () => (open !== undefined && isBusy(open) ? busyMs : quietMs), [look, open?.id, open?.state]);

  const act = async (work: () => Promise<unknown>) => {
    setProblem(undefined);
    setBusy(true);
    try {
      await work();
    } catch (error) {
      setProblem(asDeskError(error, 'The file cannot be read any more. Choose it again.'));
    } finally {
      setBusy(false);
      await look();
    }
  };
  const send = (file: File, going?: RelayUpload) =>
    act(async () => {
      const { partBytes, fileBytesMax } = relayUploadLimits;
      if (file.size > fileBytesMax)
        return setProblem(
          said(`${file.name} is larger than a file may be, which is ${relayFileMost}. Send it in parts.`),
        );
      if (file.size === 0) return setProblem(said(`${file.name} is empty. Choose another file.`));
      if (going !== undefined && (file.name !== going.file_name || file.size !== going.size))
        return setProblem(
          said(
            `This is another file. To go on, choose ${going.file_name} with ${bytes(going.size)}; to send this one, cancel first.`,
          ),
        );
      sending.current = true;
      try {
        let one = going ?? (await calls.begin({ name: file.name, size: file.size }));
        while (one.next_part !== null && sending.current) {
          setSent(one.received);
          const from = one.next_part * partBytes;
          one = await calls.sendPart(one.id, one.next_part, file.slice(from, from + partBytes));
        }
      } finally {
        sending.current = false;
        setSent(undefined);
      }
    });
  const remove = (one: RelayUpload) =>
    act(async () => {
      sending.current = false;
      await calls.remove(one.id);
    });

  if (all === undefined)
    return (
      <section className="panel ru" aria-label="Files">
        <h3>Files</h3>
        {problem === undefined ? (
          <p className="q2">Looking…</p>
        ) : (
          <FormError message={problem.message} reference={problem.reference} />
        )}
      </section>
    );
  const past = all.filter((one) => !isOpen(one));
  return (
    <section className="panel ru" aria-label="Files">
      <header className="ru-head">
        <h3>{open === undefined ? 'Send a file' : open.file_name}</h3>
        {open !== undefined && mayChange && open.state !== 'cancelling' && (
          <button
            type="button"
            className="btn danger quiet sm"
            onClick={() => void remove(open)}
            {...resting(busy && !sending.current)}
          >
            {open.state === 'running' ? 'End it here' : 'Cancel'}
          </button>
        )}
      </header>
      <FormError message={problem?.message} reference={problem?.reference} />
      {open === undefined &&
        (mayChange ? (
          <>
            <DropBox label="CSV or XLSX, names of the columns in the first row" onFile={(file) => void send(file)} />
            <p className="q">
              Up to {relayFileMost} and {exactCount(relayUploadLimits.rowsMax)} rows. Sending takes nothing: you see
              what would come, and decide then. The file lies sealed until it is taken.
            </p>
          </>
        ) : (
          <p className="q2">Nothing is being sent. Your role can see what came, and not send files.</p>
        ))}
      {open?.state === 'uploading' && (
        <div className="ru-step">
          <progress max={open.size} value={sent ?? open.received} aria-label="Sent" />
          <span className="q">
            {bytes(sent ?? open.received)} of {bytes(open.size)} sent
          </span>
          {sent === undefined && mayChange && (
            <>
              <p className="q2">
                It was being sent from a page that is closed. Choose the same file to go on behind what is here.
              </p>
              <DropBox label={open.file_name} onFile={(file) => void send(file, open)} />
            </>
          )}
        </div>
      )}
      {open !== undefined && ['uploaded', 'checking', 'checked'].includes(open.state) && (
        <Columns
          key={open.id}
          {...{ calls, mappingVersion, zone, mayChange, onMapped }}
          upload={open}
          onChanged={() => void look()}
        />
      )}
      {open !== undefined && (open.state === 'running' || open.state === 'cancelling') && (
        <div className="ru-step">
          <p className="q2">
            {open.state === 'running'
              ? 'Its conversions are being taken, also when this page is closed.'
              : 'It is being ended.'}
          </p>
          <progress max={1} value={open.progress ?? 0} aria-label="Taken" />
          <span className="q">
            {open.progress === null ? 'Waits for its turn' : percent(open.progress * 100)}
            {`, ${counted(open.rows.fresh, 'new conversion')}, ${exactCount(open.rows.doubles)} already there, ${exactCount(open.rows.wrong)} wrong`}
          </span>
        </div>
      )}
      {past.length > 0 && (
        <Past {...{ past, zone, mayChange }} errorsAddress={calls.errorsAddress} onRemove={(one) => void remove(one)} />
      )}
      {past.length === 0 && open === undefined && (
        <p className="q2 ru-none">
          <Glyph state="idle" /> No file was sent within the last {relayUploadLimits.days} days.
        </p>
      )}
    </section>
  );
}

const said = (message: string) => asDeskError(undefined, message);
