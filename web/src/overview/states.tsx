import type { ReactNode } from 'react';
import { Glyph } from '../controls/icons.tsx';

/** Nothing to show, with the reason and the next step (ui.md §9). */
export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="empty">
      <p>
        <b>{title}</b> {children}
      </p>
      {action}
    </div>
  );
}

const overCeiling = new Set(['query_over_ceiling', 'query_too_large']);

/** A question that was not answered: what happened to this one alone, and how to go on. */
export function Failed({
  code,
  message,
  reference,
  onRetry,
  what = 'This panel could not be read.',
}: {
  code: string;
  message: string;
  reference?: string | undefined;
  onRetry: () => void;
  what?: string;
}) {
  const limit = overCeiling.has(code);
  return (
    <div className="empty" role="alert">
      <p>
        <Glyph state="bad" />
        <span>
          <b>{limit ? 'This question met its limit.' : what}</b>{' '}
          {limit ? 'Fewer days or one filter less will answer.' : message}
          {reference !== undefined && (
            <>
              {' '}
              Reference <code className="ref">{reference}</code>.
            </>
          )}
        </span>
      </p>
      <button type="button" className="btn sm" onClick={onRetry}>
        Try again
      </button>
    </div>
  );
}
