import type { MappingTrialAnswer, RelayCapture } from '../../../../contract/relay_settings.ts';
import { Icon } from '../../controls/icons.tsx';
import { resting } from '../../controls/resting.ts';
import type { Site } from '../../desk/api.ts';
import { momentText } from '../words.ts';
import { PasteRequest } from './paste.tsx';
import { RequestTree } from './tree.tsx';

/** The request that a mapping is looked at with: one that was kept, or one that somebody pastes. */
export function RequestPane({
  site,
  captures,
  at,
  isPasting,
  pasted,
  tried,
  used,
  lit,
  hint,
  onGo,
  onPasting,
  onPaste,
  onPick,
}: {
  site: Site;
  captures: readonly RelayCapture[];
  /** The place of the one that is shown. */
  at: number;
  isPasting: boolean;
  pasted: string;
  tried: MappingTrialAnswer | undefined;
  used: ReadonlySet<string>;
  lit: ReadonlySet<string>;
  hint: string;
  onGo: (at: number) => void;
  onPasting: (isPasting: boolean) => void;
  onPaste: (text: string) => void;
  onPick: (path: string) => void;
}) {
  const shown = captures[at]?.id;
  return (
    <section className="mp-pane mp-request" aria-label="Request">
      <header>
        <h2>{isPasting ? 'Pasted request' : 'Captured request'}</h2>
        <span className="end">
          {!isPasting && captures.length > 0 && (
            <>
              <button
                type="button"
                className="btn quiet icon sm"
                aria-label="Newer request"
                {...(at <= 0 ? resting(true) : { onClick: () => onGo(at - 1) })}
              >
                <Icon name="left" />
              </button>
              <button
                type="button"
                className="btn quiet icon sm"
                aria-label="Older request"
                {...(at >= captures.length - 1 ? resting(true) : { onClick: () => onGo(at + 1) })}
              >
                <Icon name="right" />
              </button>
            </>
          )}
          {captures.length > 0 && (
            <button type="button" className="btn quiet sm" onClick={() => onPasting(!isPasting)}>
              {isPasting ? 'Kept ones' : 'Paste one'}
            </button>
          )}
        </span>
      </header>
      <div className="mp-body">
        {isPasting ? (
          <PasteRequest text={pasted} onChange={onPaste} hasNone={captures.length === 0} />
        ) : (
          <p className="mp-came">
            {captures[at] === undefined
              ? 'This request is not kept any more.'
              : `${momentText(captures[at].received_at, site.timezone)} · ${at + 1} of ${captures.length}`}
            {tried?.read != null &&
              ` · ${tried.read.method}${tried.read.records > 1 ? `, ${tried.read.records} records` : ''}`}
          </p>
        )}
        {tried?.read != null && (
          <>
            <RequestTree
              key={`b ${shown} ${isPasting}`}
              label="Body"
              data={tried.read.body}
              used={used}
              lit={lit}
              onPick={onPick}
            />
            {Object.keys(tried.read.query).length > 0 && (
              <>
                <h3>In the address</h3>
                <RequestTree
                  key={`q ${shown}`}
                  label="Query"
                  data={tried.read.query}
                  root="$query"
                  used={used}
                  lit={lit}
                  onPick={onPick}
                />
              </>
            )}
            {Object.keys(tried.read.headers).length > 0 && (
              <>
                <h3>Headers</h3>
                <RequestTree
                  key={`h ${shown}`}
                  label="Headers"
                  data={tried.read.headers}
                  root="$headers"
                  used={used}
                  lit={lit}
                  onPick={onPick}
                />
              </>
            )}
            <p className="mp-hint">What may be a person’s is hidden. {hint}</p>
          </>
        )}
      </div>
    </section>
  );
}
