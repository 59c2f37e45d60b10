import { PlainPage } from '../shell/plain.tsx';

export function VerifyPage() {
  return (
    <PlainPage title="Confirm the address" narrow>
      <h1>Confirm the address</h1>
    </PlainPage>
  );
}
