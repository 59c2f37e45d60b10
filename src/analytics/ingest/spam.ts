/** Is this referrer host (with or without www or other subdomains) on the list of referrer spammers? */
export function isSpamReferrer(_host: string): boolean {
  throw new Error('not written yet');
}
