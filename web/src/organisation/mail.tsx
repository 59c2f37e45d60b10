import type { Organisation } from '../desk/session.tsx';

export function MailSettings({ organisation: _ }: { organisation: Organisation }) {
  return null;
}
