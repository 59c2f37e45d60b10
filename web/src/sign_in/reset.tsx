import { PlainPage } from '../shell/plain.tsx';

export function ResetPage() {
  return (
    <PlainPage title="Reset the password" narrow>
      <h1>Reset the password</h1>
    </PlainPage>
  );
}
