import { type DragEvent, useRef, useState } from 'react';

/** A place to drop a file on, which is a button that opens the picker as well. */
export function DropBox({ label, onFile }: { label: string; onFile: (file: File) => void }) {
  const [over, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const drag = (isOver: boolean) => (event: DragEvent) => {
    event.preventDefault();
    setOver(isOver);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: files are dropped on it; the button in it is for everybody.
    <div
      className={`ru-drop ${over ? 'over' : ''}`}
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
        aria-label="File of conversions"
        accept=".csv,.tsv,.txt,.xlsx"
        onChange={(event) => {
          const chosen = event.target.files?.[0];
          if (chosen !== undefined) onFile(chosen);
          event.target.value = '';
        }}
      />
      <button type="button" className="btn" onClick={() => input.current?.click()}>
        Choose a file
      </button>
      <span className="q2">or drop it here: {label}</span>
    </div>
  );
}
