export function AccountMail() {
  return null;
}
