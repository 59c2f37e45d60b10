export function AccountSessions() {
  return null;
}
