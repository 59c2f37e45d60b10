import type { Organisation } from '../desk/session.tsx';
import { Shell } from '../shell/shell.tsx';

export function AuditPage({ organisation }: { organisation: Organisation }) {
  return (
    <Shell organisation={organisation} title="Audit log">
      <main className="wrap" id="main" tabIndex={-1} />
    </Shell>
  );
}
