import { PlainPage } from '../shell/plain.tsx';

export function SecondFactorPage() {
  return (
    <PlainPage title="Second factor" narrow>
      <h1>Second factor</h1>
    </PlainPage>
  );
}
