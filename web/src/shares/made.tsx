import type { MadeShare } from '../../../contract/shares.ts';
import { CopyButton } from '../controls/copy.tsx';
import { takeFocus } from '../controls/take_focus.ts';
import type { Site } from '../desk/api.ts';
import { widgetSnippet } from './words.ts';

/** The link of a share, at the only time when it is known. */
export function Made({ made: { share, link }, site, onHide }: { made: MadeShare; site: Site; onHide: () => void }) {
  const text = share.kind === 'widget' ? widgetSnippet(link, site.domain, share.panels) : link;
  return (
    <div className="note ok reached shr-made" role="status" ref={takeFocus} tabIndex={-1}>
      <div>
        <b>“{share.name}” is ready.</b> This is the only time {share.kind === 'widget' ? 'the snippet' : 'the link'} is
        shown. The desk keeps a digest of it; “New link” makes another.
        <div className="secret">
          <code>{text}</code>
          <CopyButton text={text} label={share.kind === 'widget' ? 'Copy the snippet' : 'Copy the link'} />
        </div>
        {share.kind === 'widget' && (
          <p className="q2">
            Pages of {share.hosts.join(', ')} can show it. It follows the theme of its viewer; with{' '}
            <code>?theme=light</code> or <code>?theme=dark</code> after the address it keeps to one.
          </p>
        )}
        <p className="shr-made-acts">
          {share.kind !== 'widget' && (
            <a className="link" href={link} target="_blank" rel="noreferrer">
              Open it
            </a>
          )}
          <button type="button" className="link" onClick={onHide}>
            I have it, hide it
          </button>
        </p>
      </div>
    </div>
  );
}
