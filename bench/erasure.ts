import type { RequestDetail } from '../contract/requests.ts';
import { type DeskFolder, mainSite, owner, pause } from './desk.ts';
import { startScript } from './desk_of_script.ts';
import type { Plant } from './erasure_desk.ts';

const behindProxy = {
  'content-type': 'application/json',
  'x-forwarded-for': '192.0.2.1',
  'x-forwarded-proto': 'https',
};
const plant = { days: 90, perDay: 5 };

/**
 * One person is erased among everything that the desk has: from the call to the receipt, which comes after every store was
 * read once more.
 */
export async function measureErasure(desk: DeskFolder, say: (line: string) => void) {
  const { port, tell, answer, stop } = await startScript(desk, 'erasure_desk.ts');
  try {
    const cookie = await signIn(port);
    const call = async (method: string, path: string, body?: object) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        method,
        headers: { ...behindProxy, cookie },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return JSON.parse(text);
    };
    const { organisations } = await call('GET', '/api/session');
    const organisationId = Number(organisations[0].id);
    const siteId = desk.sites.find(({ domain }) => domain === mainSite)?.id;
    if (siteId === undefined) throw new Error(`The desk has no site ${mainSite}.`);
    // Each run is somebody else: on a desk that is kept, the one of the run before is gone.
    const some = Math.floor(Math.random() * 1e9);
    const email = `visitor-${some}@visitor.example`;
    const wish: Plant = {
      ...{ organisationId, siteId, email, ...plant },
      visitors: [1, 2, 3].map((at) => `${some}${at}`),
    };
    say('Somebody is in it, with three browsers …');
    tell(JSON.stringify(wish));
    const { planted } = await answer('planted');
    const of = `/api/organisations/${organisationId}/requests`;
    const received_on = desk.today;
    const { id } = await call('POST', of, { kind: 'erasure', received_on, email });
    await call('PUT', `${of}/${id}/state`, { to: 'checked', check: 'mailbox' });
    await call('PUT', `${of}/${id}/state`, { to: 'working' });
    say('The erasure …');
    const began = performance.now();
    await call('POST', `${of}/${id}/erasure`);
    let detail: RequestDetail;
    do {
      await pause(100);
      detail = await call('GET', `${of}/${id}`);
    } while (detail.erasure?.state === 'running' && performance.now() - began < 600_000);
    const seconds = (performance.now() - began) / 1000;
    const receipt = JSON.parse((await call('GET', `${of}/${id}/receipts/1`)).receipt) as {
      looked_again: { left: { rows: number }[] };
    };
    const left = receipt.looked_again.left.reduce((sum, { rows }) => sum + rows, 0);
    return { seconds, planted: Number(planted), state: detail.erasure?.state, left };
  } finally {
    await stop();
  }
}

async function signIn(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/api/sessions`, {
    method: 'POST',
    headers: behindProxy,
    body: JSON.stringify(owner),
  });
  if (response.status !== 201) throw new Error(`Signing in failed: ${response.status} ${await response.text()}`);
  return response.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ');
}
