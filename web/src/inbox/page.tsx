import { Shell } from '../shell/shell.tsx';

export function InboxPage() {
  return (
    <Shell title="Inbox">
      <main className="wrap" id="main" tabIndex={-1} />
    </Shell>
  );
}
