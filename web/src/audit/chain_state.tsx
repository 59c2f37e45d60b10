import { CopyButton } from '../controls/copy.tsx';
import { Glyph, Icon } from '../controls/icons.tsx';
import { auditPath, type DeskError, type Trail } from '../desk/api.ts';
import { exactCount } from '../numbers/format.ts';
import { Failed } from '../overview/states.tsx';
import { timeText } from '../period/words.ts';
import type { Chain } from './page.tsx';

/** Does every entry follow from the one before, and is the end signed? With what takes the trail away and proves it elsewhere. */
export function ChainState({
  trail,
  chain,
  problem,
  onRetry,
  query,
}: {
  trail: Trail;
  chain: Chain | undefined;
  problem: DeskError | undefined;
  onRetry: () => void;
  query: string;
}) {
  const base = `${auditPath(trail)}/export`;
  const command = `npm run -s fairlead -- audit verify --file audit.ndjson --key ${chain?.public_key ?? '…'}`;
  return (
    <section className="panel au-chain" aria-label="Chain">
      <div className="au-state">
        {problem !== undefined ? (
          <Failed
            code={problem.code}
            message={problem.message}
            reference={problem.reference}
            onRetry={onRetry}
            what="The chain could not be verified."
          />
        ) : (
          <p role="status">{chain === undefined ? '…' : <Words chain={chain} />}</p>
        )}
        <div className="au-acts">
          <a className="btn sm" href={base} download>
            <Icon name="download" />
            Export to verify
          </a>
          <a className="btn sm" href={`${base}?format=csv${query === '' ? '' : `&${query}`}`} download>
            <Icon name="table" />
            {query === '' ? 'CSV' : 'CSV of these'}
          </a>
        </div>
      </div>
      {chain !== undefined && chain.findings.length > 0 && (
        <ul className="au-findings" aria-label="What is wrong">
          {chain.findings.map((finding) => (
            <li key={`${finding.kind} ${finding.seq} ${finding.sentence}`}>{finding.sentence}</li>
          ))}
        </ul>
      )}
      <details className="au-verify">
        <summary>Verify it yourself</summary>
        <p>
          An export holds every entry with its hash, and the signed checkpoint of this chain. This command verifies it
          on any machine with Fairlead, without a desk and without a network.
        </p>
        <div className="secret">
          <code>{command}</code>
          <CopyButton text={command} disabled={chain === undefined} />
        </div>
        {chain !== undefined && (
          <p className="q">
            Public key of this desk <code className="ref">{chain.key_name}</code>. Keep a copy of it elsewhere.
          </p>
        )}
      </details>
    </section>
  );
}

function Words({ chain }: { chain: Chain }) {
  const entries = `${exactCount(chain.entries)} ${chain.entries === 1 ? 'entry' : 'entries'}`;
  if (chain.findings.length > 0)
    return (
      <>
        <Glyph state="bad" />
        <span>
          <b>This trail was altered.</b> Keep the database and the file of checkpoints as they are, and find out who
          could write to them.
        </span>
      </>
    );
  if (!chain.is_whole)
    return (
      <>
        <Glyph state="idle" />
        <span>
          Verifying: {exactCount(chain.verified_to - chain.removed_to)} of {entries} so far.
        </span>
      </>
    );
  if (chain.entries === 0) return <span>No entry yet, so there is nothing to verify.</span>;
  return (
    <>
      <Glyph state="ok" />
      <span>
        <b>
          Verified to {timeText(chain.verified_at)}, {entries}.
        </b>{' '}
        {chain.checkpoint === null
          ? 'The first signed checkpoint comes at the next full hour.'
          : `Signed to entry ${exactCount(chain.checkpoint.seq)} at ${timeText(chain.checkpoint.at)}.`}
      </span>
    </>
  );
}
