export function AccountNotifications() {
  return null;
}
