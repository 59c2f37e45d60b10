import { Shell } from '../shell/shell.tsx';

export function NotificationsPage() {
  return (
    <Shell title="Notifications">
      <main className="wrap" id="main" tabIndex={-1} />
    </Shell>
  );
}
