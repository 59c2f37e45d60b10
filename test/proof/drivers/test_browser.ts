/** Keeps cookies as a browser does, and says what it was given. */
export interface TestBrowser {
  readonly cookies: Map<string, string>;
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
}
export interface Answer {
  readonly status: number;
  readonly text: string;
  /** What of it is JSON. */
  readonly body: Record<string, unknown> & { error?: { code: string; message: string } };
  readonly cookies: readonly string[];
  readonly headers: Headers;
}

/** @param options.heard is given every `set-cookie` that comes */
export function openBrowser(
  origin: string,
  options: { address: string; agent?: string; heard?: (cookie: string) => void },
): TestBrowser {
  const cookies = new Map<string, string>();
  return {
    cookies,
    async send(method, path, body, headers = {}) {
      const isForm = body instanceof URLSearchParams;
      const response = await fetch(origin + path, {
        method,
        redirect: 'manual',
        headers: {
          'user-agent': options.agent ?? 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0',
          // As the one trusted proxy in front of the desk says it.
          'x-forwarded-for': options.address,
          'x-forwarded-proto': 'https',
          cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
          ...(body === undefined || isForm ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
      });
      const set = response.headers.getSetCookie();
      for (const cookie of set) {
        options.heard?.(cookie);
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
        if (/Max-Age=0;/.test(cookie)) cookies.delete(name);
        else cookies.set(name, value);
      }
      const text = await response.text();
      const isJson = text.startsWith('{') && !response.headers.get('content-type')?.includes('ndjson');
      return {
        status: response.status,
        text,
        body: isJson ? JSON.parse(text) : {},
        cookies: set,
        headers: response.headers,
      };
    },
  };
}
