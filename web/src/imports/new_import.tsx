import type { DragEvent, FormEvent } from 'react';
import { useId, useRef, useState } from 'react';
import type { ImportKind, SiteImport } from '../../../contract/imports.ts';
import { uploadLimits } from '../../../contract/limits.ts';
import { navigate } from '../address/navigate.tsx';
import { FormError } from '../controls/field.tsx';
import { Icon } from '../controls/icons.tsx';
import { resting } from '../controls/resting.ts';
import type { Site } from '../desk/api.ts';
import { api, asDeskError } from '../desk/api.ts';
import { bytes } from '../numbers/format.ts';
import { kindNames, kindWords } from './kinds.ts';
import { sendFile } from './sending.ts';

/** Where the numbers come from, and the file. Nothing is stored by sending it. */
export function NewImport({
  site,
  kind,
  here,
  onBegun,
}: {
  site: Site;
  kind: ImportKind;
  here: string;
  onBegun: (made: SiteImport) => void;
}) {
  const [file, setFile] = useState<File>();
  const [problem, setProblem] = useState<{ message: string; reference?: string | undefined }>();
  const [busy, setBusy] = useState(false);
  const group = useId();

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (file === undefined) return setProblem({ message: 'Choose the file first.' });
    if (file.size === 0) return setProblem({ message: `${file.name} is empty. Choose another file.` });
    if (file.size > uploadLimits.fileBytesMax)
      return setProblem({
        message: `${file.name} has ${bytes(file.size)}, and a file may have 4 GiB here. Import it on the command line of the desk.`,
      });
    setProblem(undefined);
    setBusy(true);
    try {
      const made = await api.beginImport(site.domain, { kind, name: file.name, size: file.size });
      sendFile(site.domain, made, file);
      onBegun(made);
    } catch (error) {
      setProblem(asDeskError(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <section className="panel im-new" aria-label="New import">
      <header>
        <h2>New import</h2>
        <button type="button" className="btn quiet icon" aria-label="Close" onClick={() => navigate(here)}>
          <Icon name="close" />
        </button>
      </header>
      <form onSubmit={(event) => void submit(event)}>
        <fieldset className="im-kinds">
          <legend>Where do the numbers come from?</legend>
          {kindNames.map((name) => (
            <label key={name} className={name === kind ? 'on' : ''}>
              <input
                type="radio"
                name={group}
                checked={name === kind}
                onChange={() => navigate(`${here}?new=${name}`, { replace: true })}
              />
              <span>
                <b>{kindWords[name].name}</b>
                {name === kind && (
                  <>
                    <span className="q2">{kindWords[name].where}</span>
                    <span className="q">{kindWords[name].becomes}</span>
                  </>
                )}
              </span>
            </label>
          ))}
        </fieldset>
        <FileBox accept={kindWords[kind].accept} file={file} onFile={setFile} />
        <FormError message={problem?.message} reference={problem?.reference} />
        <div className="editor-foot">
          <button type="submit" className="btn main-act" {...resting(busy)}>
            Send and check
          </button>
          <span className="q2">Sending stores nothing. You see what would come, and decide then.</span>
        </div>
      </form>
    </section>
  );
}

/** A place to drop a file on, which is a button that opens the picker as well. */
export function FileBox({
  accept,
  file,
  onFile,
}: {
  accept: string;
  file: File | undefined;
  onFile: (file: File) => void;
}) {
  const [over, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const drag = (isOver: boolean) => (event: DragEvent) => {
    event.preventDefault();
    setOver(isOver);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: files are dropped on it; the button in it is for everybody.
    <div
      className={`im-drop ${over ? 'over' : ''}`}
      onDragOver={drag(true)}
      onDragLeave={drag(false)}
      onDrop={(event) => {
        drag(false)(event);
        const dropped = event.dataTransfer.files[0];
        if (dropped !== undefined) onFile(dropped);
      }}
    >
      <input
        ref={input}
        type="file"
        className="vh"
        tabIndex={-1}
        aria-label="File to import"
        accept={accept}
        onChange={(event) => {
          const chosen = event.target.files?.[0];
          if (chosen !== undefined) onFile(chosen);
          event.target.value = '';
        }}
      />
      <button type="button" className="btn" onClick={() => input.current?.click()}>
        Choose a file
      </button>
      <span className="q2">
        {file === undefined ? (
          'or drop it here, up to 4 GiB'
        ) : (
          <>
            <b>{file.name}</b>, {bytes(file.size)}
          </>
        )}
      </span>
    </div>
  );
}
