import { useState } from 'react';
import { Dialog } from '../controls/dialog.tsx';
import { Icon } from '../controls/icons.tsx';
import { keyList, keysAreOn, turnKeys } from './keys.ts';

export function KeyList({ onClose }: { onClose: () => void }) {
  const [on, setOn] = useState(keysAreOn());
  return (
    <Dialog label="Keyboard shortcuts" className="small keys-dialog" onClose={onClose}>
      <div className="dialog-head">
        <h2>Keyboard shortcuts</h2>
        <button type="button" className="btn quiet icon" aria-label="Close" onClick={onClose}>
          <Icon name="close" />
        </button>
      </div>
      <dl className="keys">
        {keyList.map(({ keys, text }) => (
          <div key={keys}>
            <dt>{text}</dt>
            <dd>
              {keys.split(' ').map((key) => (
                <kbd key={key} className="kbd">
                  {key}
                </kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
      <label className="tick">
        <input
          type="checkbox"
          checked={on}
          onChange={(event) => {
            turnKeys(event.target.checked);
            setOn(event.target.checked);
          }}
        />
        <span>
          Single keys act
          <span className="q"> Ctrl K always does</span>
        </span>
      </label>
    </Dialog>
  );
}
