import type { ReactNode } from 'react';
import { useAsk } from '../account/use_account.tsx';
import { Dialog } from './dialog.tsx';
import { FormError } from './field.tsx';
import { resting } from './resting.ts';

/** Asks before something that cannot be taken back, and says what will happen. A refusal is shown in it. */
export function AskFirst({
  title,
  act,
  keep = 'Keep it',
  onAct,
  onClose,
  children,
}: {
  /** A question that names the thing. */
  title: string;
  /** Verb and object. */
  act: string;
  keep?: string;
  /** Closes the dialog itself when it is done. */
  onAct: () => Promise<unknown>;
  onClose: () => void;
  children: ReactNode;
}) {
  const { asking, refusal, ask } = useAsk();
  return (
    <Dialog label={title} className="small" onClose={onClose}>
      <h2>{title}</h2>
      <p className="q2">{children}</p>
      <FormError message={refusal?.message} reference={refusal?.reference} />
      <div className="editor-foot">
        <button type="button" className="btn danger" {...resting(asking)} onClick={() => asking || void ask(onAct)}>
          {act}
        </button>
        <button type="button" className="btn quiet" onClick={onClose}>
          {keep}
        </button>
      </div>
    </Dialog>
  );
}
