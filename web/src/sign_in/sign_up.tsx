import { PlainPage } from '../shell/plain.tsx';

export function SignUpPage() {
  return (
    <PlainPage title="Sign up" narrow>
      <h1>Sign up</h1>
    </PlainPage>
  );
}
