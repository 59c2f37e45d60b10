import { useEffect, useId, useRef, useState } from 'react';
import { CopyButton } from '../controls/copy.tsx';
import { Tabs } from '../controls/tabs.tsx';
import { trackerBytes } from '../desk/api.ts';
import { bytes } from '../numbers/format.ts';
import type { SnippetKind } from './snippets.ts';
import { pieces, snippet, snippetKinds, snippetLabels, snippetPlaces } from './snippets.ts';

const classes = { plain: undefined, string: 's', tag: 't', attribute: 'a' } as const;

/** The snippet with its four shapes, a button to copy it and the weight of the real file. */
export function SnippetBox({
  domain,
  address,
  onPlace,
}: {
  domain: string;
  /** Undefined while it is being asked: the lines have their room, and are not read yet. */
  address: string | undefined;
  onPlace?: (text: string) => void;
}) {
  const [kind, setKind] = useState<SnippetKind>('html');
  const [size, setSize] = useState<number | 'asking' | undefined>('asking');
  const block = useRef<HTMLPreElement>(null);
  const id = useId();
  const text = snippet(kind, domain, address ?? window.location.origin);
  useEffect(() => {
    let here = true;
    void trackerBytes().then((found) => {
      if (here) setSize(found);
    });
    return () => {
      here = false;
    };
  }, []);
  const select = () => {
    if (block.current !== null) getSelection()?.selectAllChildren(block.current);
  };
  return (
    <div className="snip">
      <header>
        <Tabs
          label="Kind of snippet"
          className="seg"
          tabs={snippetKinds.map((one) => ({ id: one, label: snippetLabels[one] }))}
          selected={kind}
          onSelect={(chosen) => {
            setKind(chosen);
            onPlace?.(snippetPlaces[chosen](domain));
          }}
          panelId={id}
        />
        <CopyButton text={text} onRefused={select} disabled={address === undefined} />
      </header>
      <div role="tabpanel" id={id} aria-label={snippetLabels[kind]}>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling block must be reachable by keyboard. */}
        <pre tabIndex={0} ref={block} className={address === undefined ? 'coming' : undefined}>
          {pieces(text).map((piece, index) => (
            <span key={index} className={classes[piece.kind]}>
              {piece.text}
            </span>
          ))}
        </pre>
      </div>
      <p className={size === 'asking' ? 'coming' : undefined}>
        {size === undefined ? '' : `${bytes(size === 'asking' ? 0 : size)}. `}No cookies, nothing written to the
        visitor’s device, so no banner is needed for it.
      </p>
    </div>
  );
}
