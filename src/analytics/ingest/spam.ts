import { spamHostFamilies, spamHosts } from './data/spam_hosts.ts';

const listed = new Set(spamHosts);

/**
 * Is this referrer host, or a domain it lies under, on the list of referrer spammers? Takes a host as `readSource`
 * gives it (lower case, no scheme); a referrer with its path may be given too.
 */
export function isSpamReferrer(referrer: string): boolean {
  const slash = referrer.indexOf('/');
  let host = slash < 0 ? referrer : referrer.slice(0, slash);
  if (host === '' || host.length > hostCharsMax) return false;
  for (const family of spamHostFamilies) if (family.test(host)) return true;
  for (;;) {
    if (listed.has(host)) return true;
    const dot = host.indexOf('.');
    if (dot < 0) return false;
    host = host.slice(dot + 1);
  }
}

/** RFC 1035. */
const hostCharsMax = 253;
