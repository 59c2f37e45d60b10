/** Whom people may sign in with beside their password. Operator environment only: whoever sets these receives secrets. */
export interface SignInSettings {
  google?: ProviderClient & { url: string };
  github?: ProviderClient & { url: string; apiUrl: string };
  oidc?: ProviderClient & { issuer: string; name: string };
}

/** What the provider knows this desk by. */
export interface ProviderClient {
  clientId: string;
  clientSecret: string;
}

export const signInVariables = [
  'FAIRLEAD_GOOGLE_CLIENT_ID',
  'FAIRLEAD_GOOGLE_CLIENT_SECRET',
  'FAIRLEAD_GOOGLE_URL',
  'FAIRLEAD_GITHUB_CLIENT_ID',
  'FAIRLEAD_GITHUB_CLIENT_SECRET',
  'FAIRLEAD_GITHUB_URL',
  'FAIRLEAD_GITHUB_API_URL',
  'FAIRLEAD_OIDC_CLIENT_ID',
  'FAIRLEAD_OIDC_CLIENT_SECRET',
  'FAIRLEAD_OIDC_ISSUER',
  'FAIRLEAD_OIDC_NAME',
] as const;
type Variable = (typeof signInVariables)[number];

const nameLengthMax = 40;

/** Reads the providers; one whose client is half set, or whose address would carry its secret in clear, stops the start. */
export function readSignIn(read: {
  text(name: string): string | undefined;
  wrong(name: string, problem: string, fix: string): void;
  isLoopback(host: string): boolean;
}): SignInSettings {
  const { wrong, isLoopback } = read;
  const text = (name: Variable) => read.text(name);

  function client(provider: 'GOOGLE' | 'GITHUB' | 'OIDC', others: Variable[]): ProviderClient | undefined {
    const id = `FAIRLEAD_${provider}_CLIENT_ID` as const;
    const secret = `FAIRLEAD_${provider}_CLIENT_SECRET` as const;
    const clientId = text(id);
    const clientSecret = text(secret);
    if (clientId !== undefined && clientSecret !== undefined) return { clientId, clientSecret };
    const set = [id, secret, ...others].find((name) => text(name) !== undefined);
    if (set !== undefined)
      wrong(
        clientId === undefined ? id : secret,
        `it is missing while ${set} is set.`,
        'Set the id and the secret of the client that the provider gave you, or neither.',
      );
    return undefined;
  }

  /** As written: an issuer is compared character by character, and may end in a slash. */
  function address(name: Variable, fallback: string): string {
    const value = text(name) ?? fallback;
    const url = URL.canParse(value) ? new URL(value) : undefined;
    const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname));
    if (!isSafe || url?.search !== '' || url.hash !== '' || url.username !== '')
      wrong(
        name,
        'it is not a plain https address, and the secret of the client goes there.',
        'Write one that begins with https://, without ? and #; http:// is for this machine alone.',
      );
    return value;
  }

  const google = client('GOOGLE', ['FAIRLEAD_GOOGLE_URL']);
  const github = client('GITHUB', ['FAIRLEAD_GITHUB_URL', 'FAIRLEAD_GITHUB_API_URL']);
  const oidc = client('OIDC', ['FAIRLEAD_OIDC_ISSUER', 'FAIRLEAD_OIDC_NAME']);
  if (oidc !== undefined && text('FAIRLEAD_OIDC_ISSUER') === undefined)
    wrong(
      'FAIRLEAD_OIDC_ISSUER',
      'it is missing while FAIRLEAD_OIDC_CLIENT_ID is set.',
      'Write the issuer exactly as the provider names it.',
    );
  const name = text('FAIRLEAD_OIDC_NAME') ?? 'your organisation';
  if (name.length > nameLengthMax)
    wrong(
      'FAIRLEAD_OIDC_NAME',
      `it is longer than ${nameLengthMax} characters.`,
      'Write what people call it: it stands on a button.',
    );
  return {
    ...(google && { google: { ...google, url: address('FAIRLEAD_GOOGLE_URL', 'https://accounts.google.com') } }),
    ...(github && {
      github: {
        ...github,
        url: address('FAIRLEAD_GITHUB_URL', 'https://github.com').replace(/\/+$/, ''),
        apiUrl: address('FAIRLEAD_GITHUB_API_URL', 'https://api.github.com').replace(/\/+$/, ''),
      },
    }),
    ...(oidc && {
      oidc: { ...oidc, name, issuer: address('FAIRLEAD_OIDC_ISSUER', 'https://not-set.invalid') },
    }),
  };
}
