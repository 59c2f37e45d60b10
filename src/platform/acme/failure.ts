import type { FailureReason } from '../outbound/index.ts';

/**
 * Why there is no (new) certificate. The names of RFC 8555 §6.7 as they stand there; `unreachable` is what our own
 * door to the network said; the rest is ours.
 */
export const acmeReasons = [
  'accountDoesNotExist',
  'badCSR',
  'badNonce',
  'badPublicKey',
  'badSignatureAlgorithm',
  'caa',
  'compound',
  'connection',
  'dns',
  'externalAccountRequired',
  'incorrectResponse',
  'invalidContact',
  'malformed',
  'orderNotReady',
  'rateLimited',
  'rejectedIdentifier',
  'serverInternal',
  'tls',
  'unauthorized',
  'unsupportedContact',
  'unsupportedIdentifier',
  'userActionRequired',
  'unreachable',
  'account_closed', // the authority has deactivated or revoked our account
  'answer_unreadable', // not what RFC 8555 describes
  'challenge_unsupported', // it offers only challenges that this desk cannot answer
  'certificate_wrong', // what came is not what was asked for
  'not_stored', // the folder beside the key file cannot be written
  'timed_out', // it went on saying "processing"
  'closed', // this desk is stopping
] as const;
export type AcmeReason = (typeof acmeReasons)[number];

export type ChallengeType = 'tls-alpn-01' | 'http-01';

/** What is known of one failure. */
export interface AcmeFacts {
  reason: AcmeReason;
  /** The name that it is about, where it is about one. */
  domain?: string;
  challenge?: ChallengeType;
  outbound?: FailureReason;
  /** What the authority said, at most `detailMax` characters. It may name our own address: never for a log line. */
  detail?: string;
  /** Not to be asked again before, in milliseconds since the epoch. */
  notBefore?: number;
}

/** Ends one attempt; the keeper turns it into a state that can be read. */
export class AcmeFailure extends Error {
  override readonly name = 'AcmeFailure';
  readonly facts: AcmeFacts;
  constructor(facts: AcmeFacts) {
    super(facts.reason);
    this.facts = facts;
  }
}

/** The fact and the next step, for the operator's eyes. */
export function sentenceOf(facts: AcmeFacts, place: { authority: string; port: number; httpPort: number }): string {
  const { authority } = place;
  const name = facts.domain ?? 'a name of FAIRLEAD_ACME_DOMAINS';
  const said = facts.detail === undefined ? '' : ` It said: ${facts.detail}`;
  const knocked = facts.challenge === 'http-01' ? 80 : 443;
  const own = facts.challenge === 'http-01' ? place.httpPort : place.port;
  const leads = knocked === own ? '' : ` and lead it to port ${own} of this machine`;
  switch (facts.reason) {
    case 'dns':
      return `${authority} finds no address for ${name}: add an A or AAAA record that leads to this machine.${said}`;
    case 'connection':
      return `${authority} cannot connect to ${name} on port ${knocked}: open it in the firewall${leads}.${said}`;
    case 'tls':
    case 'incorrectResponse':
      return `Something other than this desk answers for ${name} on port ${knocked}: stop it${leads === '' ? '' : `,${leads.slice(4)}`}, or correct the DNS record.${said}`;
    case 'unauthorized':
      return facts.challenge === undefined
        ? `${authority} refused the request.${said}`
        : `Something other than this desk answers for ${name} on port ${knocked}: correct the DNS record, or what stands in front.${said}`;
    case 'caa':
      return `The CAA record of ${name} does not let ${authority} give certificates: add it there, or name another authority in FAIRLEAD_ACME_DIRECTORY.${said}`;
    case 'rejectedIdentifier':
    case 'unsupportedIdentifier':
      return `${authority} gives no certificate for ${name}: take it out of FAIRLEAD_ACME_DOMAINS, or correct it.${said}`;
    case 'rateLimited':
      return `${authority} has been asked too often and wants to be left alone for a while; the desk asks again by itself.${said}`;
    case 'invalidContact':
    case 'unsupportedContact':
      return `${authority} does not take the address in FAIRLEAD_ACME_EMAIL: correct it, or leave it out.${said}`;
    case 'externalAccountRequired':
      return `${authority} wants an account made on its own pages, which this desk cannot use: name another authority in FAIRLEAD_ACME_DIRECTORY.${said}`;
    case 'userActionRequired':
      return `${authority} wants somebody to agree to its new terms before it goes on.${said}`;
    case 'account_closed':
      return `${authority} has closed the account of this desk and refuses a new one.${said}`;
    case 'unreachable':
      return unreachable(authority, facts.outbound);
    case 'challenge_unsupported':
      return `${authority} offers ${name} no way of proof that this desk knows (tls-alpn-01, http-01).`;
    case 'certificate_wrong':
      return `${authority} sent a certificate that does not fit what was asked for; it was thrown away.`;
    case 'not_stored':
      return `The certificate cannot be written beside the key file: see that the folder of FAIRLEAD_KEY_FILE is writable and has room.`;
    case 'timed_out':
      return `${authority} had not decided after several minutes; the desk asks again by itself.`;
    case 'serverInternal':
      return `${authority} has a fault of its own; the desk asks again by itself.${said}`;
    case 'closed':
      return 'The desk was stopped while it waited for its certificate.';
    default:
      return `${authority} did not understand the desk (${facts.reason}). Is FAIRLEAD_ACME_DIRECTORY the address of an ACME directory?${said}`;
  }
}

function unreachable(authority: string, reason: FailureReason | undefined): string {
  if (reason === 'name_unknown')
    return `The name ${authority} cannot be found: check FAIRLEAD_ACME_DIRECTORY and the DNS of this machine.`;
  if (reason === 'address_private')
    return `${authority} leads to a private address, which is refused: if it is an authority of your own, name it in FAIRLEAD_OUTBOUND_ALLOW.`;
  if (reason === 'tls_failed')
    return `${authority} shows a certificate that this machine does not trust: if it is an authority of your own, name its root in NODE_EXTRA_CA_CERTS.`;
  return `${authority} does not answer (${reason ?? 'unknown'}): does the firewall let this machine out?`;
}
