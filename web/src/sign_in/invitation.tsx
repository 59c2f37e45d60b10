import { PlainPage } from '../shell/plain.tsx';

export function InvitationPage({ token: _ }: { token: string }) {
  return (
    <PlainPage title="Invitation" narrow>
      <h1>Invitation</h1>
    </PlainPage>
  );
}
