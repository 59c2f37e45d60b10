export function AccountProfile() {
  return null;
}
