import type { ReactNode } from 'react';
import type { ProofPage } from '../../../contract/proof.ts';
import { ComingRows } from '../controls/coming.tsx';
import type { Organisation } from '../desk/session.tsx';
import { Failed } from '../overview/states.tsx';
import { useProof } from './api.ts';
import { TrustFrame } from './trust_frame.tsx';
import './trust.css';

/** What the pages of proofs have in common: reading them, and the states in which there is nothing to show. */
export function ProofFrame({
  organisation,
  title,
  what,
  children,
}: {
  organisation: Organisation;
  title: string;
  what: string;
  children: (page: ProofPage, reload: () => void) => ReactNode;
}) {
  return (
    <TrustFrame organisation={organisation} title={title} what={what} name="proof">
      <Read organisation={organisation} what={what}>
        {children}
      </Read>
    </TrustFrame>
  );
}

function Read({
  organisation,
  what,
  children,
}: {
  organisation: Organisation;
  what: string;
  children: (page: ProofPage, reload: () => void) => ReactNode;
}) {
  const { page, problem, reload } = useProof(organisation.id);
  if (page !== undefined) return children(page, reload);
  return (
    <section className="panel" aria-label={title(what)} aria-busy={problem === undefined}>
      {problem === undefined ? (
        <ComingRows what={what} rows={14} />
      ) : (
        <Failed
          code={problem.code}
          message={problem.message}
          reference={problem.reference}
          onRetry={reload}
          what={`${title(what)} could not be read.`}
        />
      )}
    </section>
  );
}

const title = (what: string) => what.replace(/^./, (first) => first.toUpperCase());
