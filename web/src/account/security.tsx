export function AccountSecurity() {
  return null;
}
