import type { AskSelf } from '../platform/http/ask_self.ts';
import type { DemoPlatforms } from './demo_platforms.ts';

/** The owner of a demo at the desk: what it does is what a browser would ask, by the same calls. */
export interface DemoOwner {
  /** @throws Error where the desk refuses */
  call<Answer>(method: 'GET' | 'POST' | 'PUT' | 'PATCH', path: string, body?: object | Buffer): Promise<Answer>;
  /** Signs in at a platform's double, where somebody says yes. @returns the number of the connection */
  connect(
    platforms: DemoPlatforms,
    wish: { provider: string; scopes: readonly string[]; label: string },
  ): Promise<number>;
}

/** @param organisationId whose calls they are: paths of `call` go on from it */
export async function openDemoOwner(ask: AskSelf, code: string, organisationId: number): Promise<DemoOwner> {
  const { headers } = await ask({ method: 'GET', path: `/demo?code=${code}` });
  const cookie = (headers['set-cookie'] ?? []).map((one) => one.split(';', 1)[0]).join('; ');

  const call: DemoOwner['call'] = async (method, path, body) => {
    const isBytes = Buffer.isBuffer(body);
    const { status, body: text } = await ask({
      ...{ method, path: `/api/organisations/${organisationId}${path}` },
      headers: { cookie, 'content-type': isBytes ? 'application/octet-stream' : 'application/json' },
      ...(body === undefined ? {} : { body: isBytes ? body : JSON.stringify(body) }),
    });
    if (status >= 300) throw new Error(`${method} ${path} of the demo was answered ${status}: ${text.slice(0, 300)}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  return {
    call,
    async connect(platforms, { provider, scopes, label }) {
      const { url } = await call<{ url: string }>('POST', '/connection-authorisations', { provider, scopes });
      const back = (await platforms.follow(url)).searchParams;
      const [state, given] = [back.get('state') ?? '', back.get('code') ?? ''];
      const { id } = await call<{ id: number }>('POST', '/connection-answers', { provider, state, code: given });
      await call('PATCH', `/connections/${id}`, { label });
      await call('GET', `/connections/${id}/accounts`);
      return id;
    },
  };
}
